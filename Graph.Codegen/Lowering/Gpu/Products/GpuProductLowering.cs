namespace Graphene.Codegen;

/// <summary>Lowers dots and convolutions for a GPU as matrix products whose operands go through a ring of tiles in shared memory.</summary>
/// <remarks>
/// <code>
/// task = (batch, part of k, tile of the results)        tiles in groups of eight rows of tiles, so that neighbours in time share operands
///   sums = 0 in registers
///   for tile of k: copy ahead; sums += A tile * B tile  ProductRing, OperandCopy; FragmentCore or LaneCore; on sm_90a WarpgroupRing
///   sums to shared memory, epilogue, store              SumExchange, ProductStores
///
/// with parts: sums to a workspace; then, by a kernel of its own, for each result: add the parts in order, epilogue, store
/// </code>
/// A tile of m by n reads (m + n) elements for each 2 m n operations: 128 by 128 in half precision does 64 operations for each byte,
/// 128 by 256 does 85. An H100 does about 300 for each byte of its memory and 80 for each of its second cache at the rate of mma.sync.
/// Operands that are computed, or that lie too unevenly for asynchronous copies, go through registers while another tile is multiplied.
/// </remarks>
internal static partial class GpuProductLowering
{
    private const int TileRowsOfGroup = 8;

    /// <summary>Lowers a dot fusion, or returns null when its epilogue needs another schedule.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLowerDot(
        string name, Node fusion, GpuTarget gpu, Func<int, bool> isOverwritten) =>
        TryPrepareDot(fusion, isOverwritten) is { } product
            ? Lower(name, product, ProductTileChoice.Choose(product, gpu), gpu)
            : null;

    /// <summary>Lowers a convolution fusion, or returns null when it needs another schedule: groups of the batch, depthwise ones.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLowerConvolution(
        string name, Node fusion, GpuTarget gpu, Func<int, bool> isOverwritten) =>
        TryPrepareConvolution(fusion, isOverwritten) is { } product
            ? Lower(name, product, ProductTileChoice.Choose(product, gpu), gpu)
            : null;

    /// <summary>The product that a node is; null for what is none, or needs another schedule.</summary>
    public static GpuProduct? TryPrepare(Node node, Func<int, bool> isOverwritten) => node.Op switch
    {
        FusionOp { Kind: FusionKind.Dot } => TryPrepareDot(node, isOverwritten),
        FusionOp { Kind: FusionKind.Convolution } => TryPrepareConvolution(node, isOverwritten),
        _ => null,
    };

    /// <summary>The kernels of a product in given sizes.</summary>
    public static IReadOnlyList<LoweredKernel> Lower(string name, GpuProduct product, ProductPlan plan, GpuTarget gpu)
    {
        if (plan.Streams > 0)
        {
            return LowerStreamed(name, product, plan, gpu);
        }
        KernelArguments arguments = product.Fusion.Source.Arguments;
        Dim bytes = SplitSums.Elements(product, plan.Parts) * product.Accumulation.SizeInBytes();
        KBuffer? workspace = plan.Parts == 1
            ? null
            : arguments.Output("parts", product.Accumulation, new KernelOperand.Workspace(bytes));
        Kernel main = Products(name, product, plan, gpu, workspace);
        return workspace is null
            ? [new LoweredKernel(main, arguments.Operands)]
            : [
                new LoweredKernel(main with { Name = name + "_parts" }, arguments.Operands),
                new LoweredKernel(SplitSums.Kernel(name, product, plan.Parts, workspace), arguments.Operands),
            ];
    }

    private static GpuProduct? TryPrepareDot(Node fusion, Func<int, bool> isOverwritten)
    {
        if (HeroFusion.TryCreate<DotGeneralOp>(fusion, isOverwritten) is not { } hero)
        {
            return null;
        }
        var op = (DotGeneralOp)hero.Hero.Op;
        return TryPrepare(hero, () => DotLowering.SpaceOf(hero), op.AccumulationType, op.ResultType);
    }

    private static GpuProduct? TryPrepareConvolution(Node fusion, Func<int, bool> isOverwritten)
    {
        if (HeroFusion.TryCreate<ConvolutionOp>(fusion, isOverwritten) is not { Pooling: null } hero)
        {
            return null;
        }
        var op = (ConvolutionOp)hero.Hero.Op;
        return op.BatchGroups != 1 || op.IsDepthwise(hero.Hero.Operands[1].Type)
            ? null
            : TryPrepare(hero, () => ConvolutionSpace.Of(hero), op.AccumulationType, op.ResultType);
    }

    private static GpuProduct? TryPrepare(HeroFusion hero, Func<ProductSpace> space, DType accumulation, DType result) =>
        accumulation.IsComplex() || accumulation == DType.Bool ? null : new GpuProduct(hero, space(), accumulation, result);

    private static Kernel Products(string name, GpuProduct product, ProductPlan plan, GpuTarget gpu, KBuffer? workspace)
    {
        ProductTile tile = plan.Tile;
        var b = new KBuilder { Multiples = new KIndexMultiples() };
        var emitter = new ExprEmitter(b, product.Analysis, product.Fusion.Source.Source);
        var thread = new KVariable("thread", KType.Index);
        var task = new KVariable("task", KType.Index);
        var context = new ProductContext(b, emitter, thread, product, tile);

        KExpr down = b.Let("down", KBuilder.CeilDiv(KBuilder.Value(product.Rows.Count), tile.Rows));
        KExpr across = b.Let("across", KBuilder.CeilDiv(KBuilder.Value(product.Columns.Count), tile.Columns));
        KExpr tiles = KBuilder.Multiply(down, across);
        (KExpr tileRow, KExpr tileColumn) = PlaceOf(b, b.Let("number", KBuilder.Remainder(task, tiles)), down, across);
        KExpr rest = b.Let("rest", KBuilder.Divide(task, tiles));
        KExpr part = b.Let("part", KBuilder.Remainder(rest, plan.Parts));
        KExpr batch = b.Let("batch", KBuilder.Divide(rest, plan.Parts));
        KExpr firstRow = b.Let("row0", KBuilder.Multiply(tileRow, tile.Rows));
        KExpr firstColumn = b.Let("column0", KBuilder.Multiply(tileColumn, tile.Columns));
        (KExpr begin, KExpr end) = PartOf(b, product, plan, part);
        BindAll(product, emitter, batch);

        KTensorMap[] maps = [];
        int together = 0;
        (ProductSums sums, KBuffer ring) = plan.Unit == ProductUnit.Warpgroups ? ByWarpgroups() : ByWarps();
        var exchange = new SumExchange(context, sums);
        if (workspace is null)
        {
            var stores = new ProductStores(product, emitter, tile.Columns);
            exchange.Run(ring, firstRow, firstColumn, stores.Width, stores.IsAlongRows, stores.Store);
        }
        else
        {
            int width = SplitSums.Width(product);
            KExpr first = SplitSums.Place(b, product, part, batch);
            exchange.Run(ring, firstRow, firstColumn, width, false, (row, column, values) => b.Add(new KStore(
                workspace, SplitSums.Place(product, first, row, column), values, Alignment: width)));
        }
        KExpr count = KBuilder.Multiply(
            KBuilder.Multiply(
                KBuilder.CeilDiv(KBuilder.Value(product.Rows.Count), tile.Rows),
                KBuilder.CeilDiv(KBuilder.Value(product.Columns.Count), tile.Columns)),
            KBuilder.Multiply(KBuilder.Value(product.Batch.Count), plan.Parts));
        return new Kernel(name, product.Fusion.Source.Arguments.Buffers, task, count, b.ToBlock(), product.Cost)
        {
            Threads = new KThreads(thread, tile.Threads + sums.OtherThreads) { TasksPerMultiprocessor = together },
            Maps = maps,
        };

        (ProductSums Sums, KBuffer Ring) ByWarps()
        {
            Rings rings = Rings.Of(context, plan.Unit, gpu);
            DeclareRings(b, rings);
            ProductCore core = SumTile(context, rings, firstRow, firstColumn, begin, end);
            together = rings.TasksTogether;
            return (core, rings.Left.Buffer);
        }

        (ProductSums Sums, KBuffer Ring) ByWarpgroups()
        {
            var copies = new WarpgroupRing(context, gpu);
            copies.Run(begin, end, firstRow, firstColumn, batch);
            maps = copies.Maps;
            together = WarpgroupRing.TasksTogether(tile, product.Left.Element.DType.SizeInBytes(), gpu);
            return (copies.Sums, copies.Buffer);
        }
    }

    /// <summary>Binds the counters of the batch; all others begin at 0.</summary>
    public static void BindAll(GpuProduct product, ExprEmitter emitter, KExpr batch)
    {
        product.Batch.Bind(emitter, batch);
        foreach (LoopGroup group in product.Rows.Groups.Concat(product.Columns.Groups).Concat(product.Depth.Groups))
        {
            emitter.BindGroup(group, 0);
        }
    }

    private static void DeclareRings(KBuilder b, Rings rings)
    {
        b.Add(new KScratch(rings.Left.Buffer));
        if (!ReferenceEquals(rings.Left.Buffer, rings.Right.Buffer))
        {
            b.Add(new KScratch(rings.Right.Buffer));
        }
    }

    // The sums of a tile over k from one place to another, in registers.
    private static ProductCore SumTile(ProductContext context, Rings rings, KExpr firstRow, KExpr firstColumn, KExpr begin, KExpr end)
    {
        GpuProduct product = context.Product;
        var leftCopy = new OperandCopy(context, product.Left, product.Rows, firstRow, rings.Left, rings.LeftForm);
        var rightCopy = new OperandCopy(context, product.Right, product.Columns, firstColumn, rings.Right, rings.RightForm);
        ProductCore core = rings.Shape is { } shape
            ? new FragmentCore(context, shape, rings.Left, rings.Right)
            : new LaneCore(context, rings.Left, rings.Right);
        new ProductRing(context, core, leftCopy, rightCopy, rings.Left, rings.Right).Run(begin, end);
        return core;
    }

    /// <summary>Where a tile begins, by its number among those of all products.</summary>
    public static (KExpr Row, KExpr Column, KExpr Batch) Origin(KBuilder b, KExpr number, KExpr down, KExpr across, ProductTile tile)
    {
        KExpr tiles = KBuilder.Multiply(down, across);
        (KExpr row, KExpr column) = PlaceOf(b, b.Let("number", KBuilder.Remainder(number, tiles)), down, across);
        return (
            b.Let("row0", KBuilder.Multiply(row, tile.Rows)), b.Let("column0", KBuilder.Multiply(column, tile.Columns)),
            b.Let("batch", KBuilder.Divide(number, tiles)));
    }

    // Down the eight tiles of a group first: with 132 tasks at work, 8 rows and 17 columns of tiles are read instead of 1 and 132.
    private static (KExpr Row, KExpr Column) PlaceOf(KBuilder b, KExpr number, KExpr down, KExpr across)
    {
        KExpr ofGroup = b.Let("of_group", KBuilder.Multiply(across, TileRowsOfGroup));
        KExpr first = b.Let("first", KBuilder.Multiply(KBuilder.Divide(number, ofGroup), TileRowsOfGroup));
        KExpr rows = b.Let("rows", KBuilder.Minimum(KBuilder.Subtract(down, first), TileRowsOfGroup));
        KExpr within = b.Let("within", KBuilder.Remainder(number, ofGroup));
        KExpr row = b.Let("tile_row", KBuilder.Add(first, KBuilder.Remainder(within, rows)));
        return (row, b.Let("tile_column", KBuilder.Divide(within, rows)));
    }

    private static (KExpr Begin, KExpr End) PartOf(KBuilder b, GpuProduct product, ProductPlan plan, KExpr part)
    {
        KExpr depth = KBuilder.Value(product.Depth.Count);
        if (plan.Parts == 1)
        {
            return (0, depth);
        }
        KExpr size = KBuilder.Multiply(
            KBuilder.CeilDiv(KBuilder.CeilDiv(depth, plan.Tile.Depth), plan.Parts), plan.Tile.Depth);
        KExpr begin = b.Let("begin", KBuilder.Multiply(part, size));
        return (begin, b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, size), depth)));
    }

    // The rings of both operands: one buffer where the types are one.
    private sealed record Rings(SharedTile Left, SharedTile Right, CopyForm LeftForm, CopyForm RightForm, KFragmentShape? Shape)
    {
        /// <summary>
        /// What the assembler is told. Bytes need a few registers more than half of a multiprocessor's: it would rather
        /// spill these than have one task.
        /// </summary>
        public int TasksTogether => Shape?.Left is DType.I8 or DType.U8 ? 1 : 0;

        public static Rings Of(ProductContext context, ProductUnit unit, GpuTarget gpu)
        {
            (GpuProduct product, ProductTile tile) = (context.Product, context.Tile);
            DType left = product.Left.Element.DType;
            DType right = product.Right.Element.DType;
            KFragmentShape? shape = unit == ProductUnit.Fragments
                ? FragmentCore.ShapeOf(left, right, product.Accumulation, gpu)
                : null;
            CopyForm leftForm = CopyForm.Choose(
                product, product.Left, product.Rows, tile.Rows, NeedsDepth(left, tile.Rows, shape), gpu);
            CopyForm rightForm = CopyForm.Choose(
                product, product.Right, product.Columns, tile.Columns, NeedsDepth(right, tile.Columns, shape), gpu);
            int leftLength = tile.Rows * tile.Depth * tile.Stages;
            int rightLength = tile.Columns * tile.Depth * tile.Stages;
            bool isOne = left == right;
            KBuffer ring = KBuffer.Shared("ring", left, isOne ? leftLength + rightLength : leftLength);
            return new Rings(
                Tile(ring, 0, tile.Rows, leftForm),
                Tile(isOne ? ring : KBuffer.Shared("right_ring", right, rightLength), isOne ? leftLength : 0, tile.Columns, rightForm),
                leftForm, rightForm, shape);

            SharedTile Tile(KBuffer buffer, int offset, int length, CopyForm form)
            {
                bool isAlong = form.IsTileAlongDepth;
                bool readsElements = shape is not null && (buffer.Element == DType.F64 || (buffer.Element == DType.F32 && !isAlong));
                return new SharedTile(
                    buffer, offset, isAlong ? length : tile.Depth, isAlong ? tile.Depth : length, isAlong, readsElements);
            }
        }

        // Bytes cannot be transposed while they are read from shared memory, and lines have 16 bytes at least.
        private static bool NeedsDepth(DType type, int length, KFragmentShape? shape) =>
            (shape is not null && type.SizeInBytes() == 1) || length * type.SizeInBytes() < CopyForm.MostBytes;
    }
}
