namespace Graphene.Codegen;

/// <summary>Lowers matrix products, with the epilogue applied to sums that are still in registers.</summary>
/// <remarks>
/// <code>
/// task = (batch, block of rows, block of panels)         tasks are independent; enough of them for the threads
///   for panel of columns                                 a panel of B is read from the cache by all row tiles
///     for tile of rows
///       sums = 0; for k: sums += a[row, k] * B[k, panel] in registers
///       epilogue(sums) -> results
/// </code>
/// B comes packed into panels when it is constant (packed while compiling, transposes folded in), is packed panel by panel into scratch
/// when many rows will read it and it does not lie together anyway, and comes directly from memory otherwise. A is read where it
/// lies: each row of a tile has a base of its own, so rows may be the positions of a convolution, and k adds the same offset to all
/// of them. Only when its rows are consecutive and its k far apart (the transposed operand of a gradient), a kernel packs it before.
/// Long sums are cut into blocks of k whose parts of A and B stay in the cache; sums wait in scratch meanwhile. They run over ascending
/// k for every tile shape and block, so the bits depend neither on blocking nor on the number of rows.
/// </remarks>
internal sealed partial class MatrixProductLowering
{
    private const long MostFlopsPerTask = 1 << 20;
    private const long FewestFlopsPerTask = 200_000; // two microseconds, of which a tenth is lost to start it elsewhere
    private const long EnoughTasks = 16;
    private const int MostSeparateRows = 8;
    private const long LongestDepthWithPrefetch = 4096;
    private const int RowsOfHalfTiles = 8;
    private const int RowsOfQuarterTiles = 4;
    private const long BytesOfPanelsPerTask = 256 * 1024;
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
    private readonly KernelTarget _target;
    private readonly KType _sum;
    private readonly int _tileRows;
    private readonly int _tileVectors;
    private readonly int _packedWidth;
    private KBuffer? _packed;
    private long _rowsPerBlock;
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
        _rows = [.. merging.Merge(product.Rows), .. (_fusion.Pooling?.Loop.Variables ?? []).Select(v => new LoopGroup(v))];
        _columns = columns.Count > 0 ? columns[^1] : new LoopGroup(_fusion.Source.Factory.Variable("unit", 1));
        _batch = [.. merging.Merge(product.Batch), .. columns.SkipLast(1)];
        _depth = merging.Merge(product.Depth);
        _rowCount = Count(_rows);
        _depthCount = Count(_depth);
        _sum = new KType(product.Accumulation, target.Lanes(product.Accumulation, _columns.Extent));
        _target = target;
        _narrow = ChooseNarrowForm(fusion);
        _isConstant = Constant(fusion) is not null;
        _mayBlockDepth = MayBlockDepth();
        _packedWidth = WidthOfSharedPanels(fusion);
        (_tileRows, _tileVectors) = ChooseTile();
        _packedWidth = _packedWidth > 0 ? _packedWidth : PanelWidth;
        _depthBlock = ChooseDepthBlock();
    }

    private int PanelWidth => _tileVectors * _sum.Lanes;

    /// <summary>The kernels that compute the products: one that packs the left operand where that pays, and the one that multiplies.</summary>
    public static IReadOnlyList<LoweredKernel> Lower(string name, Node fusion, MatrixProduct product, KernelTarget target)
    {
        var lowering = new MatrixProductLowering(fusion, product, target);
        LoweredKernel? packing = lowering.PackLeftPanels(name + "_left");
        LoweredKernel products = lowering.Run(name, fusion);
        return packing is null ? [products] : [packing, products];
    }

    private static Dim Count(IEnumerable<LoopGroup> groups) => groups.Aggregate((Dim)1, (count, g) => count * g.Extent);

    private LoweredKernel Run(string name, Node fusion)
    {
        PackConstant(fusion);
        var task = new KVariable("task", KType.Index);
        KExpr rowBlocks = RowBlocks();
        (KExpr panelBlocks, long panelsPerBlock) = PanelBlocks();
        KExpr rest = _b.Let("block", KBuilder.Divide(task, panelBlocks));
        KExpr firstPanel = _b.Let("panel0", KBuilder.Multiply(KBuilder.Remainder(task, panelBlocks), panelsPerBlock));
        KExpr rowBlock = _b.Let("rows", KBuilder.Remainder(rest, rowBlocks));
        KExpr firstRow = _b.Let("row0", FirstRow(rowBlock, rowBlocks));
        KExpr batch = _b.Let("batch", KBuilder.Divide(rest, rowBlocks));
        BindBatch(batch);
        KExpr panels = KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), PanelWidth);
        KExpr lastPanel = _b.Let("panel1", KBuilder.Minimum(KBuilder.Add(firstPanel, panelsPerBlock), panels));
        KExpr lastRow = _b.Let("row1", KBuilder.Minimum(FirstRow(KBuilder.Add(rowBlock, 1), rowBlocks), KBuilder.Value(_rowCount)));
        PackLeft(firstRow, lastRow);
        void Panels(Phase phase) => _b.For("panel", firstPanel, lastPanel, 1, panel => _emitter.InScope(
            () => EmitPanel(panel, firstRow, lastRow, phase)));

        if (_depthBlock is null)
        {
            Panels(Phase.All);
        }
        else
        {
            EmitDepthBlocks(firstRow, lastRow, firstPanel, lastPanel, Panels);
        }
        KExpr taskCount = KBuilder.Multiply(KBuilder.Multiply(KBuilder.Value(Count(_batch)), rowBlocks), panelBlocks);
        var cost = new KernelCost(
            _fusion.Hero.Shape.ElementCount * _depthCount * 2,
            fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes));
        KernelArguments arguments = _fusion.Source.Arguments;
        var kernel = new Kernel(name, arguments.Buffers, task, taskCount, _b.ToBlock(), cost);
        return new LoweredKernel(kernel, arguments.Operands);
    }

    // Rows that are not a fixed distance apart need an address register each, of which half a processor's are free. Where there is no border,
    // more rows that need but one were no faster.
    private bool HasAddresses(int rows) =>
        rows <= MostSeparateRows || PacksLeft || _rows.Count <= 1 || (Borders.Count > 0 && IsAligned(rows));

    // A tile reads a line of each of its rows again and again while k runs: they must fit the cache together, with room for B to pass
    // through.
    private long MostRowsOfTile()
    {
        if (PacksLeft)
        {
            return long.MaxValue;
        }
        return _rows.Count > 0 && _lhs.Index[_rows[^1].Last] is { IsStatic: true, Value: > 0 and var stride }
            ? _target.Caches.LinesAtStride(stride * _lhs.Load.DType.SizeInBytes()) * 3 / 4
            : long.MaxValue;
    }

    // Two panels, the one at work and the next one, take no more than three quarters of the second cache; one vector would leave too little
    // to compute between loads.
    private long MostVectorsOfTile() => _mayBlockDepth ? MostVectorsOfBlock : _depthCount.IsStatic
        ? Math.Min(
            MostVectorsOfScratch,
            Math.Max(2, _target.Caches.SecondLevelInBytes * 3 / 8 / Math.Max(1, _depthCount.Value * _sum.Lanes * ElementSize)))
        : long.MaxValue;

    // As many rows as keep their part of A in the second cache with a panel of B.
    private KExpr RowBlocks()
    {
        long fit = Math.Clamp(_target.Caches.SecondLevelInBytes * 3 / 4 / BytesPerRow() / _tileRows, 1, 64) * _tileRows;
        fit = Math.Min(fit, MostRowsPerTask);
        if (_depthBlock is not null)
        {
            fit = Math.Min(fit, MostRowsOfSums);
        }
        if (!_rowCount.IsStatic)
        {
            _rowsPerBlock = fit;
            return KBuilder.CeilDiv(KBuilder.Value(_rowCount), fit);
        }
        long rows = Math.Max(1, _rowCount.Value);
        long blocks = Math.Max(DimMath.CeilDiv(rows, fit), BlocksForThreads(rows));
        _rowsPerBlock = Math.Min(rows, DimMath.CeilDiv(DimMath.CeilDiv(rows, blocks), _tileRows) * _tileRows);
        return DimMath.CeilDiv(rows, _rowsPerBlock);
    }

    // Blocks have equally many tiles, the later ones one more than others where that does not come out even. The last tile, which may be
    // a small one, is among those, so threads that have a block each are done at about the same time.
    private KExpr FirstRow(KExpr block, KExpr blocks)
    {
        KExpr tiles = KBuilder.CeilDiv(KBuilder.Value(_rowCount), _tileRows);
        return KBuilder.Multiply(KBuilder.Divide(KBuilder.Multiply(block, tiles), blocks), _tileRows);
    }

    // Few panels are shared out evenly among threads only when rows are cut as well.
    private long BlocksForThreads(long rows)
    {
        if (!_depthCount.IsStatic || !_columns.Extent.IsStatic || !Count(_batch).IsStatic)
        {
            return 1;
        }
        long panels = Math.Max(1, Count(_batch).Value * DimMath.CeilDiv(_columns.Extent.Value, PanelWidth));
        double flopsPerPanel = 2.0 * rows * PanelWidth * Math.Max(1, _depthCount.Value);
        if (_depthBlock is not null)
        {
            // Each block of rows packs B again, so there are just enough for a few threads.
            long blocks = Count(_batch).Value * DimMath.CeilDiv(DimMath.CeilDiv(_columns.Extent.Value, PanelWidth), PanelsOfSums);
            return Math.Clamp(DimMath.CeilDiv(FewTasks, blocks), 1, Math.Max(1, rows / _tileRows / FewestTilesOfPackedPanel));
        }
        double flopsPerTask = FlopsPerTask;
        long most = Math.Max(1, rows / _tileRows);
        long enough = (long)Math.Clamp(Math.Min(EnoughTasks, flopsPerPanel * panels / flopsPerTask) / panels, 1, most);

        // Two threads share an odd number of tasks unevenly: 9 panels take them as long as 10 would.
        bool isOdd = panels * enough % 2 != 0;
        return isOdd && enough < most && flopsPerPanel / (enough + 1) >= flopsPerTask ? enough + 1 : enough;
    }

    // Small products are cut in two.
    private long FlopsPerTask
    {
        get
        {
            Dim flops = 2 * _fusion.Hero.Shape.ElementCount * _depthCount;
            return flops.IsStatic
                ? Math.Clamp(flops.Value / 2, FewestFlopsPerTask * TimesFaster, MostFlopsPerTask * TimesFaster)
                : MostFlopsPerTask * TimesFaster;
        }
    }

    // What a row adds to the part of A that a task reads again and again. Rows of a convolution overlap.
    private long BytesPerRow()
    {
        Dim elements = _lhs.Load.SourceType.Shape.ElementCount;
        Dim rows = _rowCount * Count(_batch.Where(g => _lhs.Index[g.Last] != 0));
        if (_depthBlock is { } block)
        {
            return block.Depth * ElementSize;
        }
        if (!elements.IsStatic || !rows.IsStatic)
        {
            return _depthCount.IsStatic ? Math.Max(1, _depthCount.Value) * ElementSize : 4096;
        }
        return Math.Max(1, DimMath.CeilDiv(elements.Value, Math.Max(1, rows.Value))) * ElementSize;
    }

    private (KExpr Blocks, long PanelsPerBlock) PanelBlocks()
    {
        if (_depthBlock is not null)
        {
            return (KBuilder.CeilDiv(KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), PanelWidth), PanelsOfSums), PanelsOfSums);
        }
        long flopsPerPanel = 2 * _rowsPerBlock * PanelWidth * (_depthCount.IsStatic ? Math.Max(1, _depthCount.Value) : 256);
        // Few rows make little work of many bytes, and it is the bytes that threads share then.
        long bytesPerPanel = flopsPerPanel / (2 * _rowsPerBlock) * ElementSize;
        long panels = Math.Max(
            FewestPanelsPerTask, Math.Min(FlopsPerTask / flopsPerPanel, BytesOfPanelsPerTask / bytesPerPanel));
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

    private void EmitPanel(KExpr panel, KExpr firstRow, KExpr lastRow, Phase phase)
    {
        KExpr column = _b.Let("column", KBuilder.Multiply(panel, PanelWidth));
        KExpr left = _b.Let("left", KBuilder.Subtract(KBuilder.Value(_columns.Extent), column));
        KBuffer? scratch = phase == Phase.Finish ? null : PackIntoScratch(panel, column, left);
        void Rows(PanelColumns columns) => _emitter.InScope(
            () => EmitRowTiles(panel, column, firstRow, lastRow, scratch, columns, phase));

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
}
