using System.Numerics;

namespace Graphene.Codegen;

/// <summary>A dot or convolution seen as matrix products C[row, column] = sum over k of A[row, k] * B[k, column], batched.</summary>
/// <param name="Fusion">The fusion that the products and their epilogue are taken from.</param>
/// <param name="Accumulation">The type that sums are kept in.</param>
/// <param name="Result">The type that they are rounded to.</param>
/// <param name="Lhs">A, in terms of the counters.</param>
/// <param name="Rhs">B, in terms of the counters.</param>
/// <param name="Batch">Counters of separate products, slowest first.</param>
/// <param name="Rows">Counters that A and the results have in common. They need not be consecutive in A.</param>
/// <param name="Columns">Counters that B and the results have in common.</param>
/// <param name="Depth">The counters of the sum, in the order in which it runs.</param>
internal sealed record MatrixProduct(
    HeroFusion Fusion,
    DType Accumulation,
    DType Result,
    (LoadExpr Load, AffineIndex Index) Lhs,
    (LoadExpr Load, AffineIndex Index) Rhs,
    IReadOnlyList<IndexVariable> Batch,
    IReadOnlyList<IndexVariable> Rows,
    IReadOnlyList<IndexVariable> Columns,
    IReadOnlyList<IndexVariable> Depth)
{
    /// <summary>
    /// When columns are one of several groups of the results' last dimension: the number of the group (one of the batch counters)
    /// and that dimension's own counter, which is group * size of a group + column.
    /// </summary>
    public (IndexVariable Group, IndexVariable Feature)? Grouped { get; init; }
}

/// <summary>Lowers matrix products, with the epilogue applied to sums that are still in registers.</summary>
/// <remarks>
/// <code>
/// task = (batch, block of rows, block of panels)         tasks are independent; enough of them for the threads
///   for panel of columns                                 a panel of B is read from the cache by all row tiles
///     for tile of rows
///       sums = 0; for k: sums += a[row, k] * B[k, panel] in registers
///       epilogue(sums) -> results
/// </code>
/// B comes packed into panels when it is constant (packed while compiling, transposes folded in), directly from memory when its
/// columns are consecutive, and is packed panel by panel into scratch otherwise. A is read where it lies: each row of a tile has a
/// base of its own, so rows may be the positions of a convolution, and k adds the same offset to all of them.
/// Sums run over ascending k for every tile shape, so the bits depend neither on blocking nor on the number of rows.
/// </remarks>
internal sealed class MatrixProductLowering
{
    private const long BytesOfRowsPerTask = 384 * 1024;
    private const long FlopsPerTask = 1 << 20;
    private const long LargestScratchInBytes = 128 * 1024;

    private readonly MatrixProduct _product;
    private readonly HeroFusion _fusion;
    private readonly KBuilder _b = new();
    private readonly ExprEmitter _emitter;
    private readonly (LoadExpr Load, AffineIndex Index) _lhs;
    private readonly (LoadExpr Load, AffineIndex Index) _rhs;
    private readonly List<LoopGroup> _batch;
    private readonly List<LoopGroup> _rows;
    private readonly LoopGroup _columns;
    private readonly List<LoopGroup> _depth;
    private readonly Dim _rowCount;
    private readonly Dim _depthCount;
    private readonly KType _sum;
    private readonly int _tileRows;
    private readonly int _tileVectors;
    private KBuffer? _packed;
    private KExpr _firstFeature = 0;

    private MatrixProductLowering(Node fusion, MatrixProduct product, KernelTarget target)
    {
        _product = product;
        _fusion = product.Fusion;
        _lhs = product.Lhs;
        _rhs = product.Rhs;
        var analysis = new ExprAnalysis();
        _emitter = new ExprEmitter(_b, analysis, _fusion.Source.Source);
        // A constant is packed in the order of the counters, so its own order does not keep loops apart.
        IEnumerable<ScalarExpr> operands = Constant(fusion) is null ? [_lhs.Load, _rhs.Load] : [_lhs.Load];
        var merging = new LoopMerging(
            analysis, [.. operands, .. _fusion.Roots.Select(r => r.Element)], _fusion.Roots.Select(r => r.Store));
        List<LoopGroup> columns = merging.Merge(product.Columns);
        _rows = merging.Merge(product.Rows);
        _columns = columns.Count > 0 ? columns[^1] : new LoopGroup(_fusion.Source.Factory.Variable("unit", 1));
        _batch = [.. merging.Merge(product.Batch), .. columns.SkipLast(1)];
        _depth = merging.Merge(product.Depth);
        _rowCount = Count(_rows);
        _depthCount = Count(_depth);
        _sum = new KType(product.Accumulation, target.Lanes(product.Accumulation));
        (_tileRows, _tileVectors) = RegisterTiles.Choose(_rowCount, _columns.Extent, _sum.Lanes, target, _rows.Count > 1);
    }

    private int PanelWidth => _tileVectors * _sum.Lanes;

    /// <summary>The kernel that computes the products.</summary>
    public static LoweredKernel Lower(string name, Node fusion, MatrixProduct product, KernelTarget target) =>
        new MatrixProductLowering(fusion, product, target).Run(name, fusion);

    private static Dim Count(IEnumerable<LoopGroup> groups) => groups.Aggregate((Dim)1, (count, g) => count * g.Extent);

    private LoweredKernel Run(string name, Node fusion)
    {
        PackConstant(fusion);
        var task = new KVariable("task", KType.Index);
        (KExpr rowBlocks, long rowsPerBlock) = RowBlocks();
        (KExpr panelBlocks, long panelsPerBlock) = PanelBlocks(rowsPerBlock);
        KExpr rest = _b.Let("block", KBuilder.Divide(task, panelBlocks));
        KExpr firstPanel = _b.Let("panel0", KBuilder.Multiply(KBuilder.Remainder(task, panelBlocks), panelsPerBlock));
        KExpr firstRow = _b.Let("row0", KBuilder.Multiply(KBuilder.Remainder(rest, rowBlocks), rowsPerBlock));
        KExpr batch = _b.Let("batch", KBuilder.Divide(rest, rowBlocks));
        BindBatch(batch);
        KExpr panels = KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), PanelWidth);
        KExpr lastPanel = _b.Let("panel1", KBuilder.Minimum(KBuilder.Add(firstPanel, panelsPerBlock), panels));
        KExpr lastRow = _b.Let("row1", KBuilder.Minimum(KBuilder.Add(firstRow, rowsPerBlock), KBuilder.Value(_rowCount)));
        _b.For("panel", firstPanel, lastPanel, 1, panel => _emitter.InScope(
            () => EmitPanel(batch, panel, firstRow, lastRow)));
        KExpr taskCount = KBuilder.Multiply(KBuilder.Multiply(KBuilder.Value(Count(_batch)), rowBlocks), panelBlocks);
        var cost = new KernelCost(
            _fusion.Hero.Shape.ElementCount * _depthCount * 2,
            fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes));
        KernelArguments arguments = _fusion.Source.Arguments;
        var kernel = new Kernel(name, arguments.Buffers, task, taskCount, _b.ToBlock(), cost);
        return new LoweredKernel(kernel, arguments.Operands);
    }

    // The right operand when it is a constant of the graph.
    private ConstantOp? Constant(Node fusion) => _rhs.Load.Source < _fusion.Source.Body.Parameters.Length
        ? fusion.Operands[_rhs.Load.Source].Op as ConstantOp
        : null;

    // A constant right operand is packed here and now; the kernel never sees the original.
    private void PackConstant(Node fusion)
    {
        if (Constant(fusion) is not { } constant)
        {
            return;
        }
        AffineIndex index = _rhs.Index;
        long[] columns = Offsets(index, [_columns]);
        long[] depth = Offsets(index, _depth);
        long[] batches = [.. Offsets(index, _batch.Where(IsBatchOfConstant)).Select(o => o + index.Constant.Value)];
        var packed = new PackedPanels(constant.Value, [.. batches], [.. depth], [.. columns], PanelWidth);
        _packed = _fusion.Source.Arguments.Input("packed", packed.DType, new KernelOperand.Constant(packed));
    }

    private bool IsBatchOfConstant(LoopGroup group) => group.Members.Any(member => _rhs.Index[member] != 0);

    // The element offsets of all values of some counters, the first counter slowest.
    private static long[] Offsets(AffineIndex index, IEnumerable<LoopGroup> groups)
    {
        IEnumerable<long> offsets = [0];
        foreach (IndexVariable counter in groups.SelectMany(g => g.Members))
        {
            long stride = index[counter].Value;
            int extent = checked((int)counter.Extent.Value);
            offsets = [.. offsets.SelectMany(o => Enumerable.Range(0, extent).Select(i => o + (i * stride)))];
        }
        return [.. offsets];
    }

    private (KExpr Blocks, long RowsPerBlock) RowBlocks()
    {
        long rows = Math.Clamp(BytesOfRowsPerTask / BytesPerRow() / _tileRows, 1, 64) * _tileRows;
        if (_rowCount.IsStatic && _rowCount.Value <= rows)
        {
            return (1, Math.Max(1, _rowCount.Value));
        }
        return (KBuilder.CeilDiv(KBuilder.Value(_rowCount), rows), rows);
    }

    // What a row adds to the part of A that a task reads again and again. Rows of a convolution overlap.
    private long BytesPerRow()
    {
        Dim elements = _lhs.Load.SourceType.Shape.ElementCount;
        Dim rows = _rowCount * Count(_batch.Where(g => _lhs.Index[g.Last] != 0));
        if (!elements.IsStatic || !rows.IsStatic)
        {
            return _depthCount.IsStatic ? Math.Max(1, _depthCount.Value) * _sum.Element.SizeInBytes() : 4096;
        }
        return Math.Max(1, DimMath.CeilDiv(elements.Value, Math.Max(1, rows.Value))) * _sum.Element.SizeInBytes();
    }

    private (KExpr Blocks, long PanelsPerBlock) PanelBlocks(long rowsPerBlock)
    {
        long flopsPerPanel = 2 * rowsPerBlock * PanelWidth * (_depthCount.IsStatic ? Math.Max(1, _depthCount.Value) : 256);
        long panels = Math.Max(1, FlopsPerTask / flopsPerPanel);
        return (KBuilder.CeilDiv(KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), PanelWidth), panels), panels);
    }

    private void BindBatch(KExpr batch)
    {
        for (int i = _batch.Count - 1; i >= 0; i--)
        {
            KExpr extent = KBuilder.Value(_batch[i].Extent);
            _emitter.BindGroup(_batch[i], i == 0 ? batch : _b.Let("i", KBuilder.Remainder(batch, extent)));
            batch = i == 0 ? batch : _b.Let("batch", KBuilder.Divide(batch, extent));
        }
        foreach (LoopGroup group in _depth.Concat(_rows).Append(_columns))
        {
            _emitter.BindGroup(group, 0);
        }
        if (_product.Grouped is { } grouped)
        {
            _firstFeature = _b.Let("feature0", KBuilder.Multiply(_emitter.Emit(grouped.Group), KBuilder.Value(_columns.Extent)));
        }
    }

    private void EmitPanel(KExpr batch, KExpr panel, KExpr firstRow, KExpr lastRow)
    {
        KExpr column = _b.Let("column", KBuilder.Multiply(panel, PanelWidth));
        KExpr left = _b.Let("left", KBuilder.Subtract(KBuilder.Value(_columns.Extent), column));
        KBuffer? scratch = PackIntoScratch(column, left);
        void Rows(PanelColumns columns) => _emitter.InScope(
            () => EmitRowTiles(batch, panel, column, firstRow, lastRow, scratch, columns));

        var all = new PanelColumns(_tileVectors, PanelWidth, null);
        if (!_columns.Extent.IsStatic)
        {
            KExpr isWhole = KBuilder.Call(ScalarOp.LessOrEqual, PanelWidth, left);
            _b.If(isWhole, () => Rows(all), () => Rows(new PanelColumns(_tileVectors, null, left)));
            return;
        }
        int rest = (int)(_columns.Extent.Value % PanelWidth);
        var last = new PanelColumns((int)DimMath.CeilDiv(rest, _sum.Lanes), rest, null);
        if (_columns.Extent.Value < PanelWidth)
        {
            Rows(last);
        }
        else if (rest == 0)
        {
            Rows(all);
        }
        else
        {
            _b.If(KBuilder.Less(panel, _columns.Extent.Value / PanelWidth), () => Rows(all), () => Rows(last));
        }
    }

    // Row tiles; what is left over is one smaller tile when its size is known, else a row or a tile that is not all stored.
    private void EmitRowTiles(
        KExpr batch, KExpr panel, KExpr column, KExpr firstRow, KExpr lastRow, KBuffer? scratch, PanelColumns columns)
    {
        void Tile(KExpr row, int rows, KExpr? end = null) => _emitter.InScope(
            () => EmitTile(batch, panel, column, new TileRows(row, rows, end), scratch, columns));

        if (_rowCount == 0)
        {
            return;
        }
        if (_rowCount.IsStatic && _rowCount.Value <= _tileRows)
        {
            Tile(firstRow, (int)_rowCount.Value);
            return;
        }
        KExpr whole = _b.Let("whole", KBuilder.Add(firstRow, KBuilder.Multiply(
            KBuilder.Divide(KBuilder.Subtract(lastRow, firstRow), _tileRows), _tileRows)));
        _b.For("row", firstRow, whole, _tileRows, row => Tile(row, _tileRows));
        if (!_rowCount.IsStatic)
        {
            KExpr left = _b.Let("left", KBuilder.Subtract(lastRow, whole));
            int half = Math.Max(1, _tileRows / 2);
            _b.If(
                KBuilder.Less(half, left),
                () => Tile(whole, _tileRows, lastRow),
                () => _b.If(KBuilder.Less(1, left), () => Tile(whole, half, lastRow), () => _b.If(
                    KBuilder.Call(ScalarOp.Equal, left, 1), () => Tile(whole, 1))));
        }
        else if (_rowCount.Value % _tileRows is > 0 and var rest)
        {
            _b.If(KBuilder.Less(whole, lastRow), () => Tile(whole, (int)rest));
        }
    }

    private void EmitTile(KExpr batch, KExpr panel, KExpr column, TileRows rows, KBuffer? scratch, PanelColumns columns)
    {
        var tile = new RegisterTile(_b, rows.Count, columns.Vectors, _sum);
        _emitter.Bind(_columns.Last, column);
        KExpr lhsBase = _b.Let("lhs", _emitter.EmitPosition(_lhs.Index));
        KExpr[][] counters = RowCounters(rows);
        KExpr[] rowBases = [.. counters.Select(own => _b.Let("a", own.Zip(_rows).Aggregate(lhsBase, (at, c) => KBuilder.Add(
            at, KBuilder.Multiply(c.First, KBuilder.Value(_lhs.Index[c.Second.Last]))))))];
        KExpr?[] masks = Masks(columns);
        Func<KExpr, KExpr, int, KExpr> right = RightOperand(batch, panel, scratch, masks);
        KBuffer lhs = _fusion.Source.Source(_lhs.Load.Source);
        EmitDepth(0, 0, 0, 0, (lhsOffset, rhsOffset, k) => tile.Accumulate(
            i => tile.Widen(new KLoad(lhs, KBuilder.Add(rowBases[i], lhsOffset))),
            j => tile.Widen(right(rhsOffset, k, j))));
        EmitEpilogue(tile, rows, counters, column, columns, masks);
    }

    // The values of the row counters for consecutive rows: divisions for the first, then steps that carry over.
    private KExpr[][] RowCounters(TileRows rows)
    {
        var counters = new KExpr[rows.Count][];
        counters[0] = new KExpr[_rows.Count];
        KExpr rest = rows.First;
        for (int g = _rows.Count - 1; g >= 0; g--)
        {
            KExpr extent = KBuilder.Value(_rows[g].Extent);
            counters[0][g] = g == 0 ? rest : _b.Let("row", KBuilder.Remainder(rest, extent));
            rest = g == 0 ? rest : _b.Let("rows", KBuilder.Divide(rest, extent));
        }
        for (int i = 1; i < rows.Count; i++)
        {
            // Past the end the last row is repeated, so that nothing is read outside.
            KExpr? step = rows.End is null ? null : _b.Let("exists", KBuilder.Less(KBuilder.Add(rows.First, i), rows.End));
            counters[i] = Following(counters[i - 1], step);
        }
        return counters;
    }

    // The counters of the next row if a condition holds (null: always), else the same again.
    private KExpr[] Following(KExpr[] counters, KExpr? step)
    {
        var next = new KExpr[counters.Length];
        for (int g = counters.Length - 1; g >= 0; g--)
        {
            KExpr more = KBuilder.Add(counters[g], 1);
            KExpr stepped = _b.Let("row", step is null ? more : new KSelect(step, more, counters[g]));
            if (g == 0)
            {
                next[g] = stepped;
                continue;
            }
            step = _b.Let("carry", KBuilder.Call(ScalarOp.Equal, stepped, KBuilder.Value(_rows[g].Extent)));
            next[g] = _b.Let("row", new KSelect(step, 0, stepped));
        }
        return next;
    }

    // The loops over k, with the offsets that each value of k adds to both operands.
    private void EmitDepth(int depth, KExpr lhsOffset, KExpr rhsOffset, KExpr k, Action<KExpr, KExpr, KExpr> body)
    {
        if (depth == _depth.Count)
        {
            body(lhsOffset, rhsOffset, k);
            return;
        }
        LoopGroup group = _depth[depth];
        KExpr extent = KBuilder.Value(group.Extent);
        _b.For("k", 0, extent, 1, counter => EmitDepth(
            depth + 1,
            KBuilder.Add(lhsOffset, KBuilder.Multiply(counter, KBuilder.Value(_lhs.Index[group.Last]))),
            KBuilder.Add(rhsOffset, KBuilder.Multiply(counter, KBuilder.Value(_rhs.Index[group.Last]))),
            KBuilder.Add(KBuilder.Multiply(k, extent), counter),
            body), depth == _depth.Count - 1 ? 4 : 0);
    }

    private KExpr?[] Masks(PanelColumns columns) => [.. Enumerable.Range(0, columns.Vectors).Select(j =>
        columns.Present >= (j + 1) * _sum.Lanes ? null : _b.Let("mask", KBuilder.Less(
            new KRamp(j * _sum.Lanes, 1, _sum.Lanes), KBuilder.Broadcast(columns.Present ?? columns.Left!, _sum.Lanes))))];

    // Gives vector j of the panel at an offset of k.
    private Func<KExpr, KExpr, int, KExpr> RightOperand(KExpr batch, KExpr panel, KBuffer? scratch, KExpr?[] masks)
    {
        if (_packed is not null)
        {
            KExpr panels = KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), PanelWidth);
            KExpr matrix = KBuilder.Add(KBuilder.Multiply(PackedBatch(), panels), panel);
            KExpr start = _b.Let("packed", KBuilder.Multiply(matrix, _depthCount.Value * PanelWidth));
            return (_, k, j) => new KLoad(
                _packed, KBuilder.Add(KBuilder.Add(start, KBuilder.Multiply(k, PanelWidth)), j * _sum.Lanes), _sum.Lanes);
        }
        if (scratch is not null)
        {
            return (_, k, j) => new KLoad(
                scratch, KBuilder.Add(KBuilder.Multiply(k, PanelWidth), j * _sum.Lanes), _sum.Lanes);
        }
        KBuffer rhs = _fusion.Source.Source(_rhs.Load.Source);
        KExpr position = _b.Let("rhs", _emitter.EmitPosition(_rhs.Index));
        Dim stride = _rhs.Index[_columns.Last];
        if (stride == 1)
        {
            return (offset, _, j) => new KLoad(
                rhs, KBuilder.Add(KBuilder.Add(position, offset), j * _sum.Lanes), _sum.Lanes, masks[j]);
        }
        KExpr lanes = KBuilder.Value(stride);
        return (offset, _, j) => new KGather(
            rhs,
            new KRamp(KBuilder.Add(KBuilder.Add(position, offset), KBuilder.Multiply(j * _sum.Lanes, lanes)), lanes, _sum.Lanes),
            masks[j]);
    }

    // The number of the packed matrix: over those batch counters that the constant depends on.
    private KExpr PackedBatch()
    {
        KExpr number = 0;
        foreach (LoopGroup group in _batch.Where(IsBatchOfConstant))
        {
            number = KBuilder.Add(KBuilder.Multiply(number, KBuilder.Value(group.Extent)), _emitter.Emit(group.Last));
        }
        return _b.Let("matrix", number);
    }

    // Columns that are not consecutive are brought together once per panel when several row tiles will read them.
    private KBuffer? PackIntoScratch(KExpr column, KExpr left)
    {
        bool fewRows = _rowCount.IsStatic && _rowCount.Value < _tileRows;
        if (_packed is not null || _rhs.Index[_columns.Last] == 1 || fewRows || !_depthCount.IsStatic ||
            _depthCount.Value * PanelWidth * _sum.Element.SizeInBytes() > LargestScratchInBytes)
        {
            return null;
        }
        KBuffer rhs = _fusion.Source.Source(_rhs.Load.Source);
        KBuffer scratch = _b.Scratch("columns", rhs.Element, _depthCount.Value * PanelWidth);
        _emitter.Bind(_columns.Last, column);
        KExpr position = _b.Let("from", _emitter.EmitPosition(_rhs.Index));
        KExpr present = _b.Let("present", KBuilder.Minimum(left, PanelWidth));
        KExpr stride = KBuilder.Value(_rhs.Index[_columns.Last]);
        _b.For("lane", 0, present, 1, lane =>
        {
            KExpr from = _b.Let("from", KBuilder.Add(position, KBuilder.Multiply(lane, stride)));
            EmitDepth(0, 0, 0, 0, (_, offset, k) => _b.Store(
                scratch, KBuilder.Add(KBuilder.Multiply(k, PanelWidth), lane), new KLoad(rhs, KBuilder.Add(from, offset))));
        });
        _b.For("lane", present, PanelWidth, 1, lane => EmitDepth(0, 0, 0, 0, (_, _, k) => _b.Store(
            scratch, KBuilder.Add(KBuilder.Multiply(k, PanelWidth), lane), new KConstant(Scalar.Zero(rhs.Element), 1))));
        return scratch;
    }

    private void EmitEpilogue(
        RegisterTile tile, TileRows rows, KExpr[][] counters, KExpr column, PanelColumns columns, KExpr?[] masks)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            int row = i;
            if (rows.End is null || i == 0)
            {
                StoreRow(tile, row, counters[row], column, columns, masks);
            }
            else
            {
                _b.If(
                    KBuilder.Less(KBuilder.Add(rows.First, i), rows.End),
                    () => _emitter.InScope(() => StoreRow(tile, row, counters[row], column, columns, masks)));
            }
        }
    }

    private void StoreRow(RegisterTile tile, int row, KExpr[] counters, KExpr column, PanelColumns columns, KExpr?[] masks)
    {
        for (int j = 0; j < tile.Vectors; j++)
        {
            KExpr first = _b.Let("column", KBuilder.Add(_firstFeature, KBuilder.Add(column, j * _sum.Lanes)));
            KExpr sum = _b.Let("value", Round(tile[row, j]));
            int present = Math.Min(_sum.Lanes, (columns.Present ?? int.MaxValue) - (j * _sum.Lanes));
            if (present == _sum.Lanes)
            {
                StoreLanes(counters, first, sum, masks[j]);
                continue;
            }
            // Some processors take as long for one masked store as for a dozen plain ones: a known number of lanes goes in pieces.
            for (int lane = 0; lane < present;)
            {
                int size = (int)BitOperations.RoundUpToPowerOf2((uint)(present - lane) + 1) / 2;
                KExpr piece = new KShuffle(sum, Enumerable.Range(lane, size).ToValueList());
                StoreLanes(counters, KBuilder.Add(first, lane), _b.Let("piece", piece), null);
                lane += size;
            }
        }
    }

    private void StoreLanes(KExpr[] counters, KExpr first, KExpr value, KExpr? mask) => _emitter.WithVector(
        _product.Grouped?.Feature ?? _columns.Last, first, value.Type.Lanes, mask, () =>
        {
            for (int g = 0; g < _rows.Count; g++)
            {
                _emitter.Bind(_rows[g].Last, counters[g]);
            }
            _emitter.Bind(_fusion.Value, value);
            foreach (EpilogueRoot root in _fusion.Roots)
            {
                _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
            }
        });

    private KExpr Round(KExpr sum) => sum.Type.Element == _product.Result ? sum : new KConvert(sum, _product.Result);

    // Rows of a tile. With an end, rows from there on are computed from the last row again, and not stored.
    private sealed record TileRows(KExpr First, int Count, KExpr? End);

    // Columns of a panel: how many vectors hold them, and how many there are, as a number or else as an expression.
    private sealed record PanelColumns(int Vectors, int? Present, KExpr? Left);
}
