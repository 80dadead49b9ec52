namespace Graphene.Codegen;

/// <summary>A tile of queries, keys or values in shared memory, and where it comes from.</summary>
/// <remarks>
/// <code>
/// memory:  start + row * row stride + column * column stride        any strides
/// shared:  row * pitch + column, zeros where there is no row or column
/// </code>
/// Threads copy 16, 8 or 4 bytes each without passing them through registers where everything is aligned to that and no element is
/// converted; elements one by one where columns are not consecutive, neighbouring threads then taking neighbouring rows.
/// </remarks>
/// <param name="shared">The tile, rows times <paramref name="pitch"/> elements.</param>
/// <param name="pitch">The distance of its rows.</param>
/// <param name="rows">How many rows it has.</param>
/// <param name="width">How many columns are filled.</param>
/// <param name="columns">How many of them are there in memory.</param>
internal sealed class GpuAttentionTile(KBuffer shared, int pitch, int rows, int width, int columns)
{
    private KBuffer? _from;
    private KExpr _start = 0;
    private Dim _rowStride;
    private Dim _columnStride;
    private int _lanes = 1;
    private bool _isAsynchronous;

    /// <summary>The tile.</summary>
    public KBuffer Shared { get; } = shared;

    /// <summary>
    /// Changes what has arrived, each thread some pieces of 16 bytes; the threads have met, and meet again
    /// before anybody reads it.
    /// </summary>
    /// <param name="b">The kernel.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="threads">How many threads there are.</param>
    /// <param name="change">What becomes of a piece.</param>
    public void Change(KBuilder b, KExpr thread, int threads, Func<KExpr, KExpr> change)
    {
        int lanes = 16 / Shared.Element.SizeInBytes();
        int pieces = width / lanes;
        int total = rows * pieces;
        b.For("piece0", 0, total, threads, first =>
        {
            KExpr piece = b.Let("piece", KBuilder.Add(first, thread));
            if (total % threads == 0)
            {
                ChangePiece();
            }
            else
            {
                b.If(KBuilder.Less(piece, total), ChangePiece);
            }

            void ChangePiece()
            {
                KExpr at = b.Let("at", KBuilder.Add(
                    KBuilder.Multiply(KBuilder.Divide(piece, pieces), pitch), KBuilder.Multiply(KBuilder.Remainder(piece, pieces), lanes)));
                b.Add(new KStore(Shared, at, change(new KLoad(Shared, at, lanes, Alignment: lanes)), Alignment: lanes));
            }
        }, unroll: 4);
    }

    /// <summary>Says where rows come from; computes what does not change.</summary>
    /// <param name="emitter">Has values for all counters: 0 for those of rows and columns.</param>
    /// <param name="from">The buffer.</param>
    /// <param name="index">The place of an element.</param>
    /// <param name="row">Counts rows.</param>
    /// <param name="column">Counts columns.</param>
    /// <param name="canCopy">Whether the machine copies to shared memory by itself.</param>
    public void Begin(ExprEmitter emitter, KBuffer from, AffineIndex index, IndexVariable row, IndexVariable column, bool canCopy)
    {
        (_from, _rowStride, _columnStride) = (from, index[row], index[column]);
        _start = emitter.Builder.Let("from", emitter.EmitPosition(index));
        int size = from.Element.SizeInBytes();
        if (_columnStride == 1)
        {
            _lanes = 16 / size;
            while (columns % _lanes != 0 || width % _lanes != 0 || !index.IsMultipleOf(_lanes, column))
            {
                _lanes /= 2;
            }
        }
        _isAsynchronous = canCopy && from.Element == Shared.Element && _lanes * size >= 4;
    }

    /// <summary>Begins to fill the tile.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="threads">How many threads there are.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many rows there are in memory; null when they are always enough.</param>
    public void Copy(KBuilder b, KExpr thread, int threads, KExpr first, KExpr? count)
    {
        int chunks = width / _lanes;
        int total = rows * chunks;
        int rounds = (total + threads - 1) / threads;
        b.For("round", 0, rounds, 1, round =>
        {
            KExpr i = b.Let("i", KBuilder.Add(KBuilder.Multiply(round, threads), thread));
            if (total % threads == 0)
            {
                CopyChunk(b, i, chunks, first, count);
            }
            else
            {
                b.If(KBuilder.Less(i, total), () => CopyChunk(b, i, chunks, first, count));
            }
        }, rounds <= 16 ? rounds : 4);
    }

    private void CopyChunk(KBuilder b, KExpr i, int chunks, KExpr first, KExpr? count)
    {
        bool alongColumns = _columnStride == 1;
        KExpr row = b.Let("row", alongColumns ? KBuilder.Divide(i, chunks) : KBuilder.Remainder(i, rows));
        KExpr column = b.Let("column", KBuilder.Multiply(alongColumns ? KBuilder.Remainder(i, chunks) : KBuilder.Divide(i, rows), _lanes));
        KExpr at = KBuilder.Add(first, row);
        KExpr from = KBuilder.Add(
            KBuilder.Add(_start, KBuilder.Multiply(at, KBuilder.Value(_rowStride))),
            KBuilder.Multiply(column, KBuilder.Value(_columnStride)));
        KExpr to = b.Let("to", KBuilder.Add(KBuilder.Multiply(row, pitch), column));
        KExpr? isThere = count is null ? null : KBuilder.Less(at, count);
        if (columns < width)
        {
            KExpr isColumn = KBuilder.Less(column, columns);
            isThere = isThere is null ? isColumn : KBuilder.Call(ScalarOp.And, isThere, isColumn);
        }
        isThere = isThere is null ? null : b.Let("isThere", isThere);
        if (_isAsynchronous)
        {
            b.Add(new KAsyncCopy(Shared, to, _from!, b.Let("at", from), _lanes, isThere));
            return;
        }
        KExpr loaded = new KLoad(
            _from!, from, _lanes, isThere is null ? null : KBuilder.Broadcast(isThere, _lanes), Alignment: _lanes);
        KExpr value = loaded.Type.Element == Shared.Element ? loaded : new KConvert(loaded, Shared.Element);
        b.Add(new KStore(Shared, to, value, Alignment: Math.Min(_lanes, 16 / Shared.Element.SizeInBytes())));
    }
}
