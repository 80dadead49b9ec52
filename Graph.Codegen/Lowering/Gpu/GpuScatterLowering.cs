namespace Graphene.Codegen;

/// <summary>
/// Lowers scatter for a GPU: who owns a result applies the updates that go there, in the order of the definition. Nothing depends on which
/// thread is faster.
/// </summary>
/// <remarks>
/// <code>
/// task = (rows of the results, columns)                        a tile of the results in shared memory; each thread owns some of it
///   tile = inputs
///   for 1024 places:
///     each thread looks where 8 neighbouring places go, and counts those that hit the rows
///     prefix sums of the counts over the block; hits -> list, in order
///     for hits in the list:                                    4 at once: their updates are read before the first is applied
///       tile[row, column] = f(tile[row, column], update)       by the owner alone
///   results = tile
/// </code>
/// Reads inputs and updates once and writes results once; indices are read by each task, from the second cache: tasks * places * size of
/// an index. For the gradient of 50257 x 768 embeddings by 8192 tokens that is 0.2 GB beside 0.33 GB of rows. Scatters of single
/// elements are bound by looking through the places: a few cycles for each place and task on a multiprocessor.
/// Promised to be unique, updates are applied by a thread each.
/// </remarks>
internal sealed partial class GpuScatterLowering
{
    private const int Threads = 128;
    private const int PlacesPerThread = 8;
    private const int PlacesAtOnce = Threads * PlacesPerThread;
    private const int HitsAtOnce = 4;
    private const int TileInBytes = 32 << 10;
    private const int MostRows = 8192;

    private readonly Node _node;
    private readonly ScatterOp _op;
    private readonly GpuScatterForm _form;
    private readonly GpuTarget _gpu;
    private readonly Func<int, bool> _isOverwritten;
    private readonly OperandSource _source;
    private readonly KBuilder _b;
    private readonly KVariable _thread = new("thread", KType.Index);
    private readonly IndexVariable[] _at; // of the updates
    private readonly IndexVector _result; // of the results
    private readonly IndexVariable[] _rows;
    private readonly IndexVariable[] _columns;
    private readonly int _results;
    private readonly int _lanes;
    private readonly int _vectors; // neighbouring threads with one vector of columns each
    private readonly int _tileRows;

    private GpuScatterLowering(Node node, GpuScatterForm form, GpuTarget gpu, Func<int, bool> isOverwritten)
    {
        (_node, _form, _gpu, _isOverwritten) = (node, form, gpu, isOverwritten);
        _op = (ScatterOp)node.Op;
        _results = node.Types.Length;
        _source = new OperandSource(node);
        _b = _source.B;
        TensorType updates = node.Operands[_results + 1].Type;
        _at = [.. updates.Shape.Select((d, i) => _source.F.Variable($"u{i}", d))];
        _columns = [.. form.UpdateColumns.Select(axis => _at[axis])];
        _rows = [.. form.Rows.Select((axis, i) => _source.F.Variable($"r{i}", node.Types[0].Shape[axis]))];
        _result = IndexVector.From(Enumerable.Range(0, node.Types[0].Rank).Select(axis =>
            form.Columns.Contains(axis) ? _columns[Array.IndexOf(form.Columns, axis)] : _rows[Array.IndexOf(form.Rows, axis)]));
        _lanes = Lanes();
        Dim columns = Vectors;
        _vectors = columns.IsStatic
            ? (int)Math.Min(Threads, System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, columns.Value)))
            : Threads;
        _tileRows = TileRows();
    }

    private int Groups => Threads / _vectors;

    private Dim Places => _form.Places.Aggregate((Dim)1, (n, axis) => n * _at[axis].Extent);

    private Dim Rows => _rows.Aggregate((Dim)1, (n, v) => n * v.Extent);

    private Dim Vectors => _columns.Length == 0 ? 1
        : _columns.SkipLast(1).Aggregate((Dim)1, (n, v) => n * v.Extent) * Dim.FloorDiv(_columns[^1].Extent, _lanes);

    private int BytesPerRow => _vectors * _lanes * _node.Types.Sum(t => t.DType.SizeInBytes());

    private KExpr Chunks => KBuilder.CeilDiv(KBuilder.Value(Vectors), _vectors);

    /// <summary>The kernels of a scatter node; null when updates must be applied one after another.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="node">A node whose op is a <see cref="ScatterOp"/>.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node node, KernelTarget target, Func<int, bool> isOverwritten)
    {
        var op = (ScatterOp)node.Op;
        if (op.UniqueIndices)
        {
            return LowerUnique(name, node, isOverwritten);
        }
        return GpuScatterForm.Of(op, node) is { } form
            ? [new GpuScatterLowering(node, form, target.Gpu!, isOverwritten).Run(name)]
            : null;
    }

    private static LoweredKernel[] LowerUnique(string name, Node node, Func<int, bool> isOverwritten)
    {
        var op = (ScatterOp)node.Op;
        var source = new OperandSource(node);
        LoweredKernel update = GpuElements.Kernel(name, source, [.. node.Operands[node.Types.Length + 1].Shape], at =>
        {
            IndexVector place = ScatterLowering.Target(op, node, source, at);
            ScalarExpr inside = ScatterLowering.IsInside(node, source, place, Enumerable.Range(0, place.Count));
            source.B.If(source.Emitter.Emit(inside), () => source.Emitter.InScope(
                () => ScatterLowering.Combine(op, node, source, place, IndexVector.From(at))));
        });
        return
        [
            .. node.Types.Select((t, i) => (Type: t, Number: i)).Where(r => !isOverwritten(r.Number)).Select(r => GpuFillLowering.Copy(
                name + "_copy", new KernelOperand.Value(node.Operands[r.Number]), new KernelOperand.Value(node, r.Number), r.Type)),
            update,
        ];
    }

    // Columns that are consecutive and aligned everywhere are taken 16 bytes at a time.
    private int Lanes()
    {
        if (_columns.Length == 0 || !_columns[^1].Extent.IsStatic)
        {
            return 1;
        }
        IndexVariable last = _columns[^1];
        AffineIndex[] all =
        [
            AffineIndex.Of(_result, _node.Types[0]),
            .. Enumerable.Range(0, _results).Select(i => AffineIndex.Of(IndexVector.From(_at), _node.Operands[_results + 1 + i].Type)),
        ];
        int lanes = 16 / _node.Types.Max(t => t.DType.SizeInBytes());
        while (last.Extent.Value % lanes != 0 || !Array.TrueForAll(all, a => a[last] == 1 && a.IsMultipleOf(lanes, last)))
        {
            if (lanes == 1)
            {
                break;
            }
            lanes /= 2;
        }
        return lanes;
    }

    // As many as fit, but rather more tasks than multiprocessors.
    private int TileRows()
    {
        long most = Math.Clamp(TileInBytes / BytesPerRow, 1, MostRows);
        if (!Rows.IsStatic || !Vectors.IsStatic)
        {
            return (int)most;
        }
        long chunks = DimMath.CeilDiv(Math.Max(1, Vectors.Value), _vectors);
        long even = DimMath.CeilDiv(Rows.Value * chunks, 2L * _gpu.Multiprocessors);
        return (int)Math.Clamp(even, 1, most);
    }

    private LoweredKernel Run(string name)
    {
        var task = new KVariable("task", KType.Index);
        KExpr tile = _b.Let("tile", KBuilder.Divide(task, Chunks));
        KExpr column = _b.Let("column", KBuilder.Add(
            KBuilder.Multiply(KBuilder.Remainder(task, Chunks), _vectors), KBuilder.Remainder(_thread, _vectors)));
        BindColumns(column);
        var own = new Own(
            _b.Let("row0", KBuilder.Multiply(tile, _tileRows)),
            _b.Let("group", KBuilder.Divide(_thread, _vectors)),
            _b.Let("lane", KBuilder.Remainder(_thread, _vectors)),
            IsAlwaysColumn ? null : _b.Let("isColumn", KBuilder.Less(column, KBuilder.Value(Vectors))),
            [.. _node.Types.Select(t => Share("tile", t.DType, (long)_tileRows * _vectors * _lanes))]);
        if (AreAllOverwritten)
        {
            EmitTouched(own);
        }
        else
        {
            EmitTile(own, Load);
            EmitPlaces(own, null);
            EmitTile(own, Store);
        }
        KExpr tiles = KBuilder.CeilDiv(KBuilder.Value(Rows), _tileRows);
        return _source.ToKernel(name, task, KBuilder.Multiply(tiles, Chunks), new KThreads(_thread, Threads));
    }

    private bool AreAllOverwritten => Enumerable.Range(0, _results).All(_isOverwritten);

    private bool IsAlwaysColumn => Vectors.IsStatic && Vectors.Value % _vectors == 0;

    // Where results are there already, only tiles that something goes to are read and written.
    private void EmitTouched(Own own)
    {
        KRegister isLoaded = _b.Declare("isLoaded", new KConstant(Scalar.FromBool(false), 1));
        EmitPlaces(own, () => _b.If(KBuilder.Call(ScalarOp.Not, new KRead(isLoaded)), () =>
        {
            EmitTile(own, Load);
            _b.Assign(isLoaded, new KConstant(Scalar.FromBool(true), 1));
        }));
        _b.If(new KRead(isLoaded), () => EmitTile(own, Store));
    }

    private void BindColumns(KExpr column)
    {
        for (int i = _columns.Length - 1; i >= 0; i--)
        {
            int lanes = i == _columns.Length - 1 ? _lanes : 1;
            KExpr extent = KBuilder.Value(Dim.FloorDiv(_columns[i].Extent, lanes));
            KExpr digit = i == 0 ? column : KBuilder.Remainder(column, extent);
            _source.Emitter.Bind(_columns[i], _b.Let("c", KBuilder.Multiply(digit, lanes)));
            column = i == 0 ? column : _b.Let("rest", KBuilder.Divide(column, extent));
        }
    }

    // Goes over the elements of the tile that the thread owns.
    private void EmitTile(Own own, Action<int, KBuffer, KExpr, KExpr> move) =>
        _b.For("round", 0, (_tileRows + Groups - 1) / Groups, 1, round => _source.Emitter.InScope(() =>
        {
            KExpr local = _b.Let("local", KBuilder.Add(KBuilder.Multiply(round, Groups), own.Group));
            KExpr row = _b.Let("row", KBuilder.Add(own.FirstRow, local));
            KExpr isThere = KBuilder.Call(ScalarOp.And, KBuilder.Less(local, _tileRows), KBuilder.Less(row, KBuilder.Value(Rows)));
            _b.If(And(isThere, own.IsColumn), () => _source.Emitter.InScope(() =>
            {
                GpuElements.Bind(_source.Emitter, _rows, row);
                KExpr position = _b.Let("at", _source.Emitter.EmitPosition(AffineIndex.Of(_result, _node.Types[0])));
                for (int i = 0; i < _results; i++)
                {
                    move(i, own.Tiles[i], Place(own, local), position);
                }
            }));
        }));

    private void Load(int result, KBuffer tile, KExpr place, KExpr position) => _b.Add(new KStore(
        tile, place,
        new KLoad(
            _isOverwritten(result) ? _source.Outputs[result] : _source.Inputs[result], position, _lanes, Alignment: _lanes),
        Alignment: _lanes));

    private void Store(int result, KBuffer tile, KExpr place, KExpr position) => _b.Add(new KStore(
        _source.Outputs[result], position, new KLoad(tile, place, _lanes, Alignment: _lanes), Alignment: _lanes));

    private KExpr Place(Own own, KExpr local) =>
        _b.Let("place", KBuilder.Multiply(KBuilder.Add(KBuilder.Multiply(local, _vectors), own.Lane), _lanes));

    private KBuffer Share(string name, DType element, long length)
    {
        KBuffer buffer = KBuffer.Shared(name, element, length);
        _b.Add(new KScratch(buffer));
        return buffer;
    }

    private static KExpr And(KExpr a, KExpr? b) => b is null ? a : KBuilder.Call(ScalarOp.And, a, b);

    /// <summary>What a thread owns.</summary>
    /// <param name="FirstRow">The first row of the tile.</param>
    /// <param name="Group">Rows of the tile that are this modulo the number of groups are the thread's.</param>
    /// <param name="Lane">Which vector of the tile's columns is.</param>
    /// <param name="IsColumn">Whether that exists; null for always.</param>
    /// <param name="Tiles">The tile of each result.</param>
    private sealed record Own(KExpr FirstRow, KExpr Group, KExpr Lane, KExpr? IsColumn, KBuffer[] Tiles);
}
