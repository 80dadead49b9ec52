namespace Graphene.Codegen;

/// <summary>
/// Lowers a dot fusion as matrix products C[m, n] = sum over k of A[m, k] * B[k, n], batched, with the epilogue applied to sums
/// that are still in registers.
/// </summary>
/// <remarks>
/// <code>
/// task = (batch, block of rows, block of panels)         tasks are independent; enough of them for the threads
///   for panel of columns                                 a panel of B is read from the cache by all row tiles
///     for tile of rows
///       sums = 0; for k: sums += a[row, k] * B[k, panel] in registers
///       epilogue(sums) -> results
/// </code>
/// B comes packed into panels when it is constant (packed while compiling, transposes folded in), directly from memory when its
/// columns are consecutive, and is packed panel by panel into scratch otherwise. A is read where it lies, with any strides.
/// Sums run over ascending k for every tile shape, so the bits depend neither on blocking nor on m.
/// </remarks>
internal sealed class DotLowering
{
    private const long BytesOfRowsPerTask = 384 * 1024;
    private const long FlopsPerTask = 1 << 20;
    private const long LargestScratchInBytes = 128 * 1024;

    private readonly HeroFusion _fusion;
    private readonly DotGeneralOp _op;
    private readonly KernelTarget _target;
    private readonly KBuilder _b = new();
    private readonly ExprEmitter _emitter;
    private readonly (LoadExpr Load, AffineIndex Index) _lhs;
    private readonly (LoadExpr Load, AffineIndex Index) _rhs;
    private readonly List<LoopGroup> _batch;
    private readonly LoopGroup _rows;
    private readonly LoopGroup _columns;
    private readonly List<LoopGroup> _depth;
    private readonly KType _sum;
    private readonly int _tileRows;
    private readonly int _tileVectors;
    private KBuffer? _packed;

    private DotLowering(
        HeroFusion fusion, KernelTarget target, (LoadExpr Load, AffineIndex Index) lhs, (LoadExpr Load, AffineIndex Index) rhs,
        IndexVariable[] k)
    {
        _fusion = fusion;
        _op = (DotGeneralOp)fusion.Hero.Op;
        _target = target;
        _lhs = lhs;
        _rhs = rhs;
        var analysis = new ExprAnalysis();
        _emitter = new ExprEmitter(_b, analysis, fusion.Source.Source);
        var merging = new LoopMerging(
            analysis, [lhs.Load, rhs.Load, .. fusion.Roots.Select(r => r.Element)], fusion.Roots.Select(r => r.Store));
        int batch = _op.LhsBatch.Count;
        int rows = _op.LhsFree(fusion.Hero.Operands[0].Rank).Count;
        List<LoopGroup> outer = merging.Merge(fusion.At[..batch]);
        List<LoopGroup> m = merging.Merge(fusion.At[batch..(batch + rows)]);
        List<LoopGroup> n = merging.Merge(fusion.At[(batch + rows)..]);
        _rows = m.Count > 0 ? m[^1] : Unit();
        _columns = n.Count > 0 ? n[^1] : Unit();
        _batch = [.. outer, .. m.SkipLast(1), .. n.SkipLast(1)];
        _depth = merging.Merge(k);
        _sum = new KType(_op.AccumulationType, target.Lanes(_op.AccumulationType));
        (_tileRows, _tileVectors) = RegisterTiles.Choose(_rows.Extent.IsStatic ? _rows.Extent.Value : null, target);
        if (_columns.Extent.IsStatic)
        {
            _tileVectors = (int)Math.Clamp(DimMath.CeilDiv(_columns.Extent.Value, _sum.Lanes), 1, _tileVectors);
        }
    }

    private int PanelWidth => _tileVectors * _sum.Lanes;

    /// <summary>Lowers a dot fusion, or returns null when its operands or epilogue need another schedule.</summary>
    public static LoweredKernel? TryLower(string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten)
    {
        if (HeroFusion.TryCreate<DotGeneralOp>(fusion, isOverwritten) is not { } hero)
        {
            return null;
        }
        var op = (DotGeneralOp)hero.Hero.Op;
        ExprFactory factory = hero.Source.Factory;
        Node lhsNode = hero.Hero.Operands[0];
        Node rhsNode = hero.Hero.Operands[1];
        IndexVariable[] k = [.. op.LhsContracting.Select((d, i) => factory.Variable($"k{i}", lhsNode.Shape[d]))];
        Axes lhsFree = op.LhsFree(lhsNode.Rank);
        Axes rhsFree = op.RhsFree(rhsNode.Rank);
        IndexVector lhsAt = Index(lhsNode.Rank, op.LhsBatch, op.LhsContracting, lhsFree, hero.At, op.LhsBatch.Count, k);
        IndexVector rhsAt = Index(
            rhsNode.Rank, op.RhsBatch, op.RhsContracting, rhsFree, hero.At, op.LhsBatch.Count + lhsFree.Count, k);
        return hero.OperandAccess(0, lhsAt) is { } lhs && hero.OperandAccess(1, rhsAt) is { } rhs
            ? new DotLowering(hero, target, lhs, rhs, k).Run(name, fusion)
            : null;
    }

    private static IndexVector Index(
        int rank, Axes batch, Axes contracting, Axes free, IndexVariable[] at, int freeOffset, IndexVariable[] k) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(axis =>
            contracting.IndexOf(axis) is >= 0 and var c ? k[c]
            : batch.IndexOf(axis) is >= 0 and var b ? at[b]
            : at[freeOffset + free.IndexOf(axis)]));

    private LoopGroup Unit() => new(_fusion.Source.Factory.Variable("unit", 1));

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
        KExpr lastRow = _b.Let(
            "row1", KBuilder.Minimum(KBuilder.Add(firstRow, rowsPerBlock), KBuilder.Value(_rows.Extent)));
        _b.For("panel", firstPanel, lastPanel, 1, panel => _emitter.InScope(
            () => EmitPanel(batch, panel, firstRow, lastRow)));
        Dim batches = _batch.Aggregate((Dim)1, (count, g) => count * g.Extent);
        KExpr taskCount = KBuilder.Multiply(KBuilder.Multiply(KBuilder.Value(batches), rowBlocks), panelBlocks);
        Dim depth = _depth.Aggregate((Dim)1, (count, g) => count * g.Extent);
        var cost = new KernelCost(
            _fusion.Hero.Shape.ElementCount * depth * 2,
            fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes));
        KernelArguments arguments = _fusion.Source.Arguments;
        var kernel = new Kernel(name, arguments.Buffers, task, taskCount, _b.ToBlock(), cost);
        return new LoweredKernel(kernel, arguments.Operands);
    }

    // A constant right operand is packed here and now; the kernel never sees the original.
    private void PackConstant(Node fusion)
    {
        if (fusion.Operands[_rhs.Load.Source].Op is not ConstantOp constant || _rhs.Load.Source >= _fusion.Source.Body.Parameters.Length)
        {
            return;
        }
        AffineIndex index = _rhs.Index;
        long[] columns = Offsets(index, [_columns]);
        long[] depth = Offsets(index, _depth);
        LoopGroup[] batch = [.. _batch.Where(g => index[g.Last] != 0)];
        long[] batches = [.. Offsets(index, batch).Select(o => o + index.Constant.Value)];
        Literal packed = PackedPanels.Pack(constant.Value, batches, depth, columns, PanelWidth);
        _packed = _fusion.Source.Arguments.Input("packed", packed.DType, new KernelOperand.Constant(packed));
    }

    // The element offsets of all values of some counters, the first counter slowest.
    private static long[] Offsets(AffineIndex index, IReadOnlyList<LoopGroup> groups)
    {
        IEnumerable<long> offsets = [0];
        foreach (LoopGroup group in groups)
        {
            long stride = index[group.Last].Value;
            int extent = checked((int)group.Extent.Value);
            offsets = [.. offsets.SelectMany(o => Enumerable.Range(0, extent).Select(i => o + (i * stride)))];
        }
        return [.. offsets];
    }

    private (KExpr Blocks, long RowsPerBlock) RowBlocks()
    {
        Dim depth = _depth.Aggregate((Dim)1, (count, g) => count * g.Extent);
        long bytesPerRow = depth.IsStatic ? Math.Max(1, depth.Value) * _sum.Element.SizeInBytes() : 4096;
        long rows = Math.Clamp(BytesOfRowsPerTask / bytesPerRow / _tileRows, 1, 64) * _tileRows;
        if (_rows.Extent.IsStatic && _rows.Extent.Value <= rows)
        {
            return (1, Math.Max(1, _rows.Extent.Value));
        }
        return (KBuilder.CeilDiv(KBuilder.Value(_rows.Extent), rows), rows);
    }

    private (KExpr Blocks, long PanelsPerBlock) PanelBlocks(long rowsPerBlock)
    {
        Dim depth = _depth.Aggregate((Dim)1, (count, g) => count * g.Extent);
        long flopsPerPanel = 2 * rowsPerBlock * PanelWidth * (depth.IsStatic ? Math.Max(1, depth.Value) : 256);
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
        foreach (LoopGroup group in _depth.Append(_rows).Append(_columns))
        {
            _emitter.BindGroup(group, 0);
        }
    }

    private void EmitPanel(KExpr batch, KExpr panel, KExpr firstRow, KExpr lastRow)
    {
        KExpr column = _b.Let("column", KBuilder.Multiply(panel, PanelWidth));
        KExpr left = _b.Let("left", KBuilder.Subtract(KBuilder.Value(_columns.Extent), column));
        KBuffer? scratch = PackIntoScratch(column, left);
        if (_columns.Extent.IsStatic && _columns.Extent.Value % PanelWidth == 0)
        {
            EmitRowTiles(batch, panel, column, firstRow, lastRow, scratch, null);
            return;
        }
        KExpr isWhole = KBuilder.Call(ScalarOp.LessOrEqual, PanelWidth, left);
        _b.If(
            isWhole,
            () => _emitter.InScope(() => EmitRowTiles(batch, panel, column, firstRow, lastRow, scratch, null)),
            () => _emitter.InScope(() => EmitRowTiles(batch, panel, column, firstRow, lastRow, scratch, left)));
    }

    // Row tiles; what is left over is one smaller tile when its size is known, else single rows.
    private void EmitRowTiles(
        KExpr batch, KExpr panel, KExpr column, KExpr firstRow, KExpr lastRow, KBuffer? scratch, KExpr? columnsLeft)
    {
        void Tile(KExpr row, int rows) => _emitter.InScope(
            () => EmitTile(batch, panel, column, row, rows, scratch, columnsLeft));

        if (_rows.Extent.IsStatic && _rows.Extent.Value <= _tileRows)
        {
            Tile(firstRow, (int)_rows.Extent.Value);
            return;
        }
        KExpr whole = _b.Let("whole", KBuilder.Add(firstRow, KBuilder.Multiply(
            KBuilder.Divide(KBuilder.Subtract(lastRow, firstRow), _tileRows), _tileRows)));
        _b.For("row", firstRow, whole, _tileRows, row => Tile(row, _tileRows));
        if (!_rows.Extent.IsStatic)
        {
            _b.For("row", whole, lastRow, 1, row => Tile(row, 1));
        }
        else if (_rows.Extent.Value % _tileRows is > 0 and var rest)
        {
            _b.If(KBuilder.Less(whole, lastRow), () => Tile(whole, (int)rest));
        }
    }

    private void EmitTile(
        KExpr batch, KExpr panel, KExpr column, KExpr row, int rows, KBuffer? scratch, KExpr? columnsLeft)
    {
        var tile = new RegisterTile(_b, rows, _tileVectors, _sum);
        _emitter.Bind(_rows.Last, row);
        _emitter.Bind(_columns.Last, column);
        KExpr lhsBase = _b.Let("lhs", _emitter.EmitPosition(_lhs.Index));
        KExpr rowStride = KBuilder.Value(_lhs.Index[_rows.Last]);
        KExpr[] rowBases = [.. Enumerable.Range(0, rows).Select(
            i => _b.Let("a", KBuilder.Add(lhsBase, KBuilder.Multiply(i, rowStride))))];
        KExpr?[] masks = Masks(columnsLeft);
        Func<KExpr, KExpr, int, KExpr> right = RightOperand(batch, panel, scratch, masks);
        KBuffer lhs = _fusion.Source.Source(_lhs.Load.Source);
        EmitDepth(0, 0, 0, 0, (lhsOffset, rhsOffset, k) => tile.Accumulate(
            i => tile.Widen(new KLoad(lhs, KBuilder.Add(rowBases[i], lhsOffset))),
            j => tile.Widen(right(rhsOffset, k, j))));
        EmitEpilogue(tile, row, column, masks);
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

    private KExpr?[] Masks(KExpr? columnsLeft) => [.. Enumerable.Range(0, _tileVectors).Select(j => columnsLeft is null
        ? null
        : _b.Let("mask", KBuilder.Less(
            new KRamp(j * _sum.Lanes, 1, _sum.Lanes), KBuilder.Broadcast(columnsLeft, _sum.Lanes))))];

    // Gives vector j of the panel at an offset of k.
    private Func<KExpr, KExpr, int, KExpr> RightOperand(KExpr batch, KExpr panel, KBuffer? scratch, KExpr?[] masks)
    {
        if (_packed is not null)
        {
            Dim depth = _depth.Aggregate((Dim)1, (count, g) => count * g.Extent);
            KExpr panels = KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), PanelWidth);
            KExpr matrix = KBuilder.Add(KBuilder.Multiply(PackedBatch(), panels), panel);
            KExpr start = _b.Let("packed", KBuilder.Multiply(matrix, depth.Value * PanelWidth));
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
        foreach (LoopGroup group in _batch.Where(g => _rhs.Index[g.Last] != 0))
        {
            number = KBuilder.Add(KBuilder.Multiply(number, KBuilder.Value(group.Extent)), _emitter.Emit(group.Last));
        }
        return _b.Let("matrix", number);
    }

    // Columns that are not consecutive are brought together once per panel when several row tiles will read them.
    private KBuffer? PackIntoScratch(KExpr column, KExpr left)
    {
        Dim depth = _depth.Aggregate((Dim)1, (count, g) => count * g.Extent);
        bool fewRows = _rows.Extent.IsStatic && _rows.Extent.Value < _tileRows;
        if (_packed is not null || _rhs.Index[_columns.Last] == 1 || fewRows || !depth.IsStatic ||
            depth.Value * PanelWidth * _sum.Element.SizeInBytes() > LargestScratchInBytes)
        {
            return null;
        }
        KBuffer rhs = _fusion.Source.Source(_rhs.Load.Source);
        KBuffer scratch = _b.Scratch("columns", rhs.Element, depth.Value * PanelWidth);
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

    private void EmitEpilogue(RegisterTile tile, KExpr row, KExpr column, KExpr?[] masks)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            for (int j = 0; j < tile.Vectors; j++)
            {
                KExpr first = _b.Let("column", KBuilder.Add(column, j * _sum.Lanes));
                KExpr sum = _b.Let("value", Round(tile[i, j]));
                KExpr now = _b.Let("row", KBuilder.Add(row, i));
                void StoreRoots() => _emitter.WithVector(_columns.Last, first, _sum.Lanes, masks[j], () =>
                {
                    _emitter.Bind(_rows.Last, now);
                    _emitter.Bind(_fusion.Value, sum);
                    foreach (EpilogueRoot root in _fusion.Roots)
                    {
                        _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
                    }
                });
                StoreRoots();
            }
        }
    }

    private KExpr Round(KExpr sum) => sum.Type.Element == _op.ResultType ? sum : new KConvert(sum, _op.ResultType);
}
