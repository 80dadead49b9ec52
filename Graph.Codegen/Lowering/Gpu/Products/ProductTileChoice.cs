namespace Graphene.Codegen;

/// <summary>Chooses the sizes of a product's tiles: those for which a simple model of the machine expects the least time.</summary>
/// <remarks>
/// <code>
/// a tile of k    arithmetic      m n k / (multiply-adds of a multiprocessor and cycle), and for lanes the loads between them
///                shared memory   warps (rows + columns of a warp) k bytes / 128; 2 cycles for 16 bytes of each lane of a warp
///                memory          (m + n) k bytes / 40              a multiprocessor's share of the second cache, and of the memory about 20
/// a tile         the largest of the three for each k, sums through shared memory, and a start that only other tasks of the multiprocessor hide
/// a kernel       rounds of tasks on all multiprocessors * tasks of a multiprocessor * a tile; parts cost a workspace and another kernel
/// streams        the steps of all tiles, evenly; a start and a tile's sums for each piece, a workspace and another kernel
/// </code>
/// The numbers are data sheets', not measurements: they are to order the choices, not to predict times. Symbolic sizes count as their
/// largest value, at most <see cref="UsualSize"/>, but no less than where every symbol has its least value, or 1. What was measured on a
/// GPU and written down comes first (<see cref="ProductTuning"/>).
/// </remarks>
internal static class ProductTileChoice
{
    /// <summary>What a symbolic size counts as when it can be any.</summary>
    public const long UsualSize = 512;

    internal const int SharedBytesPerCycle = 128;
    internal const double CacheBytesPerCycle = 40;
    internal const long ShortestPart = 256;
    private const double MemoryBytesPerCycle = 20;
    private const int RegistersPerMultiprocessor = 65536;
    private const int ThreadsPerMultiprocessor = 2048;
    private const int MostRegisters = 255;
    private const int OtherRegisters = 40;
    private const int RegistersOfUnit = 4;
    private const double StartCycles = 1500;
    private const double KernelCycles = 4000;
    private const int MostParts = 32;

    // What the model must promise for tiles that are shared out, which cost memory and another kernel.
    private const double GainOfStreams = 0.9;

    // Rows, columns, bytes of k, warps down and across, places of the ring.
    private static readonly (int Rows, int Columns, int Bytes, int Down, int Across, int Stages)[] FragmentTiles =
    [
        (128, 256, 64, 2, 4, 4), (256, 128, 64, 4, 2, 4), (128, 128, 64, 2, 2, 4), (128, 128, 64, 2, 4, 4), (128, 64, 64, 2, 2, 4),
        (64, 128, 64, 2, 2, 4), (64, 64, 128, 2, 2, 4), (32, 128, 128, 1, 4, 4), (128, 32, 128, 4, 1, 4), (32, 64, 128, 1, 4, 4),
        (16, 128, 128, 1, 4, 4), (16, 64, 128, 1, 4, 4), (128, 16, 128, 4, 1, 4), (32, 32, 128, 2, 2, 4), (16, 32, 128, 1, 2, 4),
        (128, 64, 64, 4, 2, 3), (64, 64, 64, 2, 4, 3),
    ];

    private static readonly (int Rows, int Columns, int Bytes, int Down, int Across, int Stages)[] LaneTiles =
    [
        (128, 128, 64, 4, 2, 3), (128, 64, 64, 4, 2, 3), (64, 128, 64, 2, 4, 3), (64, 64, 64, 2, 2, 3), (32, 32, 64, 2, 1, 4),
        (16, 128, 64, 1, 4, 4), (16, 32, 128, 1, 1, 4), (8, 128, 64, 1, 4, 4), (4, 128, 128, 1, 4, 4), (4, 32, 128, 1, 1, 4),
        (128, 8, 64, 4, 1, 4), (32, 8, 128, 1, 1, 4),
    ];

    /// <summary>All tiles that may be chosen for elements of a size.</summary>
    public static IEnumerable<ProductTile> Tiles(bool isFragments, int elementBytes) => (isFragments ? FragmentTiles : LaneTiles)
        .Select(t => new ProductTile(t.Rows, t.Columns, t.Bytes / elementBytes, t.Down, t.Across, t.Stages));

    /// <summary>How a product is to be computed.</summary>
    public static ProductPlan Choose(GpuProduct product, GpuTarget gpu)
    {
        if (gpu.Tuning?.Find(product, gpu) is { } tuned)
        {
            return tuned;
        }
        (ProductSizes sizes, KFragmentShape? shape) = SizesOf(product, gpu);
        return Choose(sizes, shape, gpu);
    }

    /// <summary>All ways in which a product can be computed, the one that the model expects to be fastest first.</summary>
    public static IReadOnlyList<ProductPlan> Candidates(GpuProduct product, GpuTarget gpu)
    {
        (ProductSizes sizes, KFragmentShape? shape) = SizesOf(product, gpu);
        (ProductPlan Plan, double Cycles)[] all = [.. Candidates(sizes, shape, gpu)];
        all = all.Length > 0 ? all : [.. Candidates(sizes with { LeftUnit = 0, RightUnit = 0 }, shape, gpu)];
        return [.. all.OrderBy(c => c.Cycles).Select(c => c.Plan)];
    }

    /// <summary>The sizes of a product, and the matrix instruction for it; null where there is none.</summary>
    public static (ProductSizes Sizes, KFragmentShape? Shape) SizesOf(GpuProduct product, GpuTarget gpu)
    {
        DType left = product.Left.Element.DType;
        DType right = product.Right.Element.DType;
        KFragmentShape? shape = FragmentCore.ShapeOf(left, right, product.Accumulation, gpu);
        return (
            new ProductSizes(
                Size(product.Batch.Count, 1), Size(product.Rows.Count, UsualSize), Size(product.Columns.Count, UsualSize),
                Size(product.Depth.Count, UsualSize), Math.Max(left.SizeInBytes(), right.SizeInBytes()), product.Accumulation.SizeInBytes())
            {
                LeftUnit = Unit(product.Left, product.Rows),
                RightUnit = Unit(product.Right, product.Columns),
                MayUseWarpgroups = WarpgroupRing.IsPossible(product, gpu),
                MayStream = new[] { product.Batch, product.Rows, product.Columns, product.Depth }.All(a => a.Count.IsStatic),
            },
            shape);

        int Unit(ProductOperand operand, ProductAxis axis)
        {
            int size = operand.Element.DType.SizeInBytes();
            var form = CopyForm.Choose(product, operand, axis, CopyForm.MostBytes, shape is not null && size == 1, gpu);
            return form.IsAsync ? 0 : form.Width * form.Height(size);
        }
    }

    /// <summary>How a product of some sizes is to be computed.</summary>
    /// <param name="sizes">The sizes.</param>
    /// <param name="shape">The matrix instruction; null where there is none.</param>
    /// <param name="gpu">The machine.</param>
    public static ProductPlan Choose(ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu) =>
        Best(sizes, shape, gpu) ?? Best(sizes with { LeftUnit = 0, RightUnit = 0 }, shape, gpu)
            ?? throw new CompilerBugException("lowering", $"no tile for a product of {sizes}");

    private static ProductPlan? Best(ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu)
    {
        ProductPlan? best = null;
        double least = double.MaxValue;
        foreach ((ProductPlan plan, double cycles) in Candidates(sizes, shape, gpu))
        {
            double cost = plan.Streams > 0 ? cycles / GainOfStreams : cycles;
            if (cost < least)
            {
                (best, least) = (plan, cost);
            }
        }
        return best;
    }

    // With what the model expects of each, in cycles.
    private static IEnumerable<(ProductPlan Plan, double Cycles)> Candidates(ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu)
    {
        ProductUnit unit = shape is null ? ProductUnit.Lanes : ProductUnit.Fragments;
        int most = MayCut(shape, gpu) ? MostParts : 1;
        foreach (ProductTile tile in Tiles(shape is not null, sizes.ElementBytes).Where(t => Fits(t, sizes, shape, gpu)))
        {
            for (int parts = 1; parts <= most && (parts == 1 || sizes.Depth / parts >= ShortestPart); parts *= 2)
            {
                yield return (new ProductPlan(unit, tile, parts), Cycles(tile, parts, sizes, shape, gpu));
            }
            int streams = gpu.Multiprocessors * TasksTogether(tile, sizes, shape, gpu);
            if (most > 1 && sizes.MayStream && Units(tile, sizes) * tile.Depth >= streams * ShortestPart)
            {
                yield return (new ProductPlan(unit, tile, 1, streams), StreamedCycles(tile, streams, sizes, shape, gpu));
            }
        }
        foreach ((ProductPlan, double) plan in WarpgroupTileChoice.Candidates(sizes, most, gpu))
        {
            yield return plan;
        }
    }

    /// <summary>What the model expects a product to take, in cycles of the machine.</summary>
    public static double Cycles(ProductTile tile, int parts, ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu)
    {
        (double step, _) = Work(tile, sizes, shape);
        return Cycles(tile, parts, sizes, step, TasksTogether(tile, sizes, shape, gpu), gpu);
    }

    /// <summary>The same when it is known what a tile of k takes.</summary>
    /// <param name="tile">The sizes of a task.</param>
    /// <param name="parts">How many tasks share the sums of a tile.</param>
    /// <param name="sizes">The product.</param>
    /// <param name="ofDepth">Cycles for each tile of k.</param>
    /// <param name="most">How many tasks fit a multiprocessor.</param>
    /// <param name="gpu">The machine.</param>
    internal static double Cycles(ProductTile tile, int parts, ProductSizes sizes, double ofDepth, int most, GpuTarget gpu)
    {
        double tasks = parts * TilesOf(tile, sizes);
        double tilesOfDepth = Math.Ceiling(StepsOf(tile, sizes) / parts);
        int together = (int)Math.Min(most, Math.Max(1, Math.Ceiling(tasks / gpu.Multiprocessors)));
        double rounds = Math.Ceiling(tasks / (gpu.Multiprocessors * together));
        double work = (tilesOfDepth * ofDepth) + CyclesOfSums(tile, sizes);
        double cycles = rounds * ((together * work) + StartCycles);
        double workspace = parts == 1 ? 0
            : KernelCycles + (2.0 * parts * sizes.Batch * sizes.Rows * sizes.Columns * sizes.SumBytes
                / (MemoryBytesPerCycle * gpu.Multiprocessors));
        return cycles + workspace;
    }

    private static double CyclesOfSums(ProductTile tile, ProductSizes sizes) =>
        3.0 * tile.Rows * tile.Columns * sizes.SumBytes / SharedBytesPerCycle;

    // A task has one piece more than it has tiles, and at most two of them go through the workspace.
    private static double StreamedCycles(ProductTile tile, int streams, ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu)
    {
        double steps = Math.Ceiling((double)Units(tile, sizes) / streams);
        double pieces = Math.Ceiling(steps / StepsOf(tile, sizes)) + 1;
        (double step, double sums) = Work(tile, sizes, shape);
        double together = (double)streams / gpu.Multiprocessors;
        double cycles = (together * ((steps * step) + (pieces * sums))) + (pieces * StartCycles);
        double workspace = 4.0 * streams * tile.Rows * tile.Columns * sizes.SumBytes / (MemoryBytesPerCycle * gpu.Multiprocessors);
        return cycles + KernelCycles + workspace;
    }

    private static double TilesOf(ProductTile tile, ProductSizes sizes) =>
        sizes.Batch * Math.Ceiling((double)sizes.Rows / tile.Rows) * Math.Ceiling((double)sizes.Columns / tile.Columns);

    private static double StepsOf(ProductTile tile, ProductSizes sizes) => Math.Max(1, Math.Ceiling((double)sizes.Depth / tile.Depth));

    private static long Units(ProductTile tile, ProductSizes sizes) => (long)(TilesOf(tile, sizes) * StepsOf(tile, sizes));

    // Cycles of a multiprocessor for a tile of k, and for the sums of a tile.
    private static (double Step, double Sums) Work(ProductTile tile, ProductSizes sizes, KFragmentShape? shape)
    {
        int size = sizes.ElementBytes;
        double arithmetic = (double)tile.Rows * tile.Columns * tile.Depth / ProductsPerCycle(shape, sizes);
        double warps = (double)tile.WarpsDown * tile.WarpsAcross;
        double shared = warps * (tile.WarpRows + tile.WarpColumns) * tile.Depth * size / SharedBytesPerCycle;
        if (shape is null)
        {
            (double rows, double columns) = ((double)tile.WarpRows / LaneCore.Down, (double)tile.WarpColumns / LaneCore.Across);
            shared = warps * (rows + columns) * tile.Depth * size / CopyForm.MostBytes * 2;
            arithmetic *= 1 + ((rows + columns) * size / (CopyForm.MostBytes * rows * columns));
        }
        double cache = (double)(tile.Rows + tile.Columns) * tile.Depth * size / CacheBytesPerCycle;
        return (Math.Max(arithmetic, Math.Max(shared, cache)), CyclesOfSums(tile, sizes));
    }

    private static bool Fits(ProductTile tile, ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu) =>
        tile.RingBytes(sizes.ElementBytes) <= gpu.SharedBytesPerTask && Registers(tile, sizes, shape) <= MostRegisters &&
        (shape is null || (tile.WarpRows % shape.Rows == 0 && tile.WarpColumns % shape.Columns == 0 && tile.Depth >= 2 * shape.Depth));

    private static int TasksTogether(ProductTile tile, ProductSizes sizes, KFragmentShape? shape, GpuTarget gpu) => Math.Max(1, Math.Min(
        gpu.SharedBytesPerTask / tile.RingBytes(sizes.ElementBytes),
        Math.Min(ThreadsPerMultiprocessor / tile.Threads, RegistersPerMultiprocessor / (tile.Threads * Registers(tile, sizes, shape)))));

    // Sums, two steps of operands, what is copied through registers with its place, and what counters take. Bytes are
    // taken apart where LLVM cannot keep them together, and the rounding to TF32 has values of its own: with 128 sums
    // of a thread the assembler spills.
    private static int Registers(ProductTile tile, ProductSizes sizes, KFragmentShape? shape) =>
        (tile.SumsPerThread * Math.Max(1, sizes.SumBytes / 4)) + ((tile.WarpRows + tile.WarpColumns) * Math.Max(2, sizes.ElementBytes) / 8)
        + (RegistersOfUnit * (Units(tile, tile.Rows, sizes.LeftUnit) + Units(tile, tile.Columns, sizes.RightUnit)))
        + (shape?.Left switch { null or DType.F16 or DType.BF16 => 0, DType.I8 or DType.U8 => 64, _ => 32 }) + OtherRegisters;

    private static int Units(ProductTile tile, int length, int unit) =>
        unit == 0 ? 0 : (int)DimMath.CeilDiv(length * tile.Depth, unit * tile.Threads);

    // f32, f64 and integers are exact in the order of k, or exact in any; only what tensor cores round may be cut.
    private static bool MayCut(KFragmentShape? shape, GpuTarget gpu) =>
        shape is not null && (shape.Sum == DType.I32 || (gpu.CutsSums && shape.Sum == DType.F32));

    private static double ProductsPerCycle(KFragmentShape? shape, ProductSizes sizes) => shape?.Left switch
    {
        DType.F16 or DType.BF16 => 1024,
        DType.I8 or DType.U8 => 2048,
        DType.F32 => 512,
        DType.F64 => 64,
        _ => sizes.SumBytes > 4 ? 32 : 128,
    };

    // The rows of a convolution are its places times its batch: not fewer than the places of one.
    private static long Size(Dim dim, long usual) => dim.IsStatic ? dim.Value
        : Math.Max(1, Math.Max(Math.Min(dim.Range.Max, usual), dim.Evaluate(s => Math.Max(1, s.Min))));
}

/// <summary>The sizes of a product.</summary>
/// <param name="Batch">How many products.</param>
/// <param name="Rows">Rows of the results.</param>
/// <param name="Columns">Columns of the results.</param>
/// <param name="Depth">Terms of each sum.</param>
/// <param name="ElementBytes">Bytes of an operand's element.</param>
/// <param name="SumBytes">Bytes of a sum.</param>
internal readonly record struct ProductSizes(long Batch, long Rows, long Columns, long Depth, int ElementBytes, int SumBytes)
{
    /// <summary>
    /// How many elements of the left operand a thread reads at once through registers; 0 where they are
    /// copied past them.
    /// </summary>
    public int LeftUnit { get; init; }

    /// <summary>The same of the right operand.</summary>
    public int RightUnit { get; init; }

    /// <summary>Whether the machine and the operands are such that <see cref="WarpgroupRing"/> can compute it.</summary>
    public bool MayUseWarpgroups { get; init; }

    /// <summary>Whether all sizes are known, so that tiles can be shared out; see <see cref="StreamedTiles"/>.</summary>
    public bool MayStream { get; init; }
}
