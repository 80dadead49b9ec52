using System.Numerics;

namespace Graphene.Codegen;

// A left operand that is copied into scratch at the start of a task, because
//   - matrix tiles read rows that are a fixed distance apart, padded with zeros, or
//   - its elements are narrower than the sums, and to widen them in the register tile would cost more than the multiply-adds: each
//     would be converted again for every panel of columns.
// Only the place changes, so bits do not.
internal sealed partial class MatrixProductLowering
{
    // Fewer rows are not worth a copy.
    private const int FewestWidenedRows = 4;

    private KBuffer? _left;
    private KExpr _firstRow = 0;

    private bool UsesTiles => _narrow is { UsesTiles: true };

    // f16, and bf16 without instructions of its own.
    private bool WidensLeft => _narrow is null && _lhs.Load.DType is DType.F16 or DType.BF16 && _depth.Count > 0 && _depthCount.IsStatic
        && (!_rowCount.IsStatic || _rowCount.Value >= FewestWidenedRows) && _columns.Extent.Range.Min > _sum.Lanes
        && _depthCount.Value * _tileRows * _sum.Element.SizeInBytes() <= LargestScratchInBytes;

    private bool CopiesLeft => UsesTiles ? !IsReadInPlace : WidensLeft;

    private long BytesPerCopiedRow => UsesTiles ? PaddedDepth * ElementSize : _depthCount.Value * _sum.Element.SizeInBytes();

    private long MostRowsPerTask => CopiesLeft
        ? Math.Max(1, LargestScratchInBytes / Math.Max(1, BytesPerCopiedRow) / _tileRows) * _tileRows
        : long.MaxValue;

    // What a task copies should be used several times.
    private long FewestPanelsPerTask => CopiesLeft ? 8 : 1;

    // Called at the start of a task.
    private void PackLeft(KExpr firstRow, KExpr lastRow)
    {
        _firstRow = firstRow;
        if (UsesTiles)
        {
            PackForTiles(firstRow, lastRow);
        }
        else if (WidensLeft)
        {
            PackRows(firstRow, lastRow, _sum.Element, _depthCount.Value, CopyRuns);
        }
    }

    private void PackForTiles(KExpr firstRow, KExpr lastRow)
    {
        long rest = _depthCount.Value % TileDepth;
        DType type = _lhs.Load.DType;
        if (!IsReadInPlace)
        {
            PackRows(firstRow, lastRow, type, PaddedDepth, (from, to) =>
            {
                CopyRuns(from, to);
                Clear(to, _depthCount.Value, PaddedDepth);
            });
        }
        else if (rest > 0)
        {
            PackRows(firstRow, lastRow, type, TileDepth, (from, to) =>
            {
                Copy(KBuilder.Add(from, _depthCount.Value - rest), to, rest, 1);
                Clear(to, rest, TileDepth);
            });
        }
    }

    // Calls back for each row with its place in the left operand and in scratch.
    private void PackRows(
        KExpr firstRow, KExpr lastRow, DType type, long width, Action<KExpr, KExpr> pack)
    {
        _left = _b.Scratch("left", type, Math.Max(1, _rowsPerBlock * width));
        _b.For("row", firstRow, lastRow, 1, row => _emitter.InScope(() => pack(
            _b.Let("from", AtRow(_emitter.EmitPosition(_lhs.Index), _lhs.Index, RowCounters(new TileRows(row, 1, null))[0])),
            _b.Let("to", KBuilder.Multiply(KBuilder.Subtract(row, firstRow), width)))));
    }

    // All k of a row, one after another.
    private void CopyRuns(KExpr from, KExpr to)
    {
        long run = _depth[^1].Extent.Value;
        EmitRuns(0, 0, 0, (offset, number) => Copy(
            KBuilder.Add(from, offset), KBuilder.Add(to, KBuilder.Multiply(number, run)), run, _lhs.Index[_depth[^1].Last]));
    }

    private void Copy(KExpr from, KExpr to, long count, Dim stride)
    {
        KBuffer lhs = _fusion.Source.Source(_lhs.Load.Source);
        KBuffer left = _left!;
        void Move(KExpr at, KExpr source, int lanes)
        {
            KExpr value = new KLoad(lhs, KBuilder.Add(from, source), lanes);
            _b.Store(left, KBuilder.Add(to, at), left.Element == lhs.Element ? value : new KConvert(value, left.Element));
        }

        if (stride != 1)
        {
            _b.For("k", 0, count, 1, k => Move(k, KBuilder.Multiply(k, KBuilder.Value(stride)), 1));
            return;
        }
        int most = KTile.MostBytesPerRow / left.Element.SizeInBytes();
        long whole = count / most * most;
        _b.For("k", 0, whole, most, k => Move(k, k, most));
        Pieces(whole, count, most, (at, lanes) => Move(at, at, lanes));
    }

    private void Clear(KExpr to, long begin, long end)
    {
        KBuffer left = _left!;
        Pieces(begin, end, KTile.MostBytesPerRow, (at, lanes) => _b.Store(
            left, KBuilder.Add(to, at), new KConstant(Scalar.Zero(left.Element), lanes)));
    }

    // From one number to another in steps that are powers of two, large ones first.
    private static void Pieces(long begin, long end, int most, Action<KExpr, int> body)
    {
        for (long at = begin; at < end;)
        {
            int size = (int)Math.Min(most, (long)BitOperations.RoundUpToPowerOf2((ulong)(end - at) + 1) / 2);
            body(at, size);
            at += size;
        }
    }

    // The element of row i of a tile, widened: where k leads in the left operand, or in its copy.
    private Func<int, KExpr, KExpr, KExpr> LeftOperand(RegisterTile tile, TileRows rows, KExpr[] bases)
    {
        if (_leftPanels is { } panels)
        {
            KExpr start = _b.Let("panel", KBuilder.Add(PackedTile(rows.First), KBuilder.Multiply(FirstDepth(), _tileRows)));
            return (i, _, k) => new KLoad(panels, KBuilder.Add(KBuilder.Add(start, KBuilder.Multiply(k, _tileRows)), i));
        }
        if (_left is { } left)
        {
            KExpr first = _b.Let("left", KBuilder.Multiply(KBuilder.Subtract(rows.First, _firstRow), _depthCount.Value));
            return (i, _, k) => new KLoad(left, KBuilder.Add(KBuilder.Add(first, i * _depthCount.Value), k));
        }
        KBuffer lhs = _fusion.Source.Source(_lhs.Load.Source);
        return (i, offset, _) => tile.Widen(new KLoad(lhs, KBuilder.Add(bases[i], offset)));
    }
}
