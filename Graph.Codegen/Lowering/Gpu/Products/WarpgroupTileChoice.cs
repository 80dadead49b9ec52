namespace Graphene.Codegen;

/// <summary>Chooses the sizes of tiles for <see cref="WarpgroupRing"/>, where it expects less time of them than of warps by themselves.</summary>
/// <remarks>
/// The model is that of <see cref="ProductTileChoice"/> with the multiply-adds of the data sheet of an H100 for dense operands: 2048 for each cycle and
/// multiprocessor in half precision, twice that of bytes, half of it in TF32. Nothing of it was measured.
/// </remarks>
internal static class WarpgroupTileChoice
{
    private const double HalvesPerCycle = 2048;
    private const int RowsOfWarp = KWarpgroupShape.Rows / KWarpgroupShape.Warps;

    // Rows, columns, places of the ring. Two tasks with three places of 128 by 128 fit a multiprocessor.
    private static readonly (int Rows, int Columns, int Stages)[] All =
        [(128, 256, 4), (128, 128, 3), (128, 128, 4), (128, 64, 4), (64, 256, 4), (64, 128, 4), (64, 64, 4)];

    /// <summary>All tiles that may be chosen for elements of a size.</summary>
    public static IEnumerable<ProductTile> Tiles(int elementBytes) => All.Select(t => new ProductTile(
        t.Rows, t.Columns, KSharedMatrix.LineBytes / elementBytes, t.Rows / RowsOfWarp, 1, t.Stages));

    /// <summary>A better plan than one by warps, or that.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="sizes">The sizes.</param>
    /// <param name="shape">The matrix instruction of a warp; null where there is none.</param>
    /// <param name="parts">Into how many parts k may be cut.</param>
    /// <param name="gpu">The machine.</param>
    public static ProductPlan Better(ProductPlan plan, ProductSizes sizes, KFragmentShape? shape, int parts, GpuTarget gpu)
    {
        if (!sizes.MayUseWarpgroups)
        {
            return plan;
        }
        double least = ProductTileChoice.Cycles(plan.Tile, plan.Parts, sizes, shape, gpu);
        foreach (ProductTile tile in Tiles(sizes.ElementBytes))
        {
            for (int n = 1; n <= parts && (n == 1 || sizes.Depth / n >= ProductTileChoice.ShortestPart); n *= 2)
            {
                double cycles = Cycles(tile, n, sizes, gpu);
                if (cycles < least)
                {
                    (plan, least) = (new ProductPlan(ProductUnit.Warpgroups, tile, n), cycles);
                }
            }
        }
        return plan;
    }

    /// <summary>What the model expects a product to take, in cycles of the machine.</summary>
    public static double Cycles(ProductTile tile, int parts, ProductSizes sizes, GpuTarget gpu)
    {
        int size = sizes.ElementBytes;
        double arithmetic = (double)tile.Rows * tile.Columns * tile.Depth / (HalvesPerCycle * 2 / size);
        double groups = (double)tile.Rows / KWarpgroupShape.Rows;
        double shared = groups * (KWarpgroupShape.Rows + tile.Columns) * KSharedMatrix.LineBytes / ProductTileChoice.SharedBytesPerCycle;
        double cache = (double)(tile.Rows + tile.Columns) * KSharedMatrix.LineBytes / ProductTileChoice.CacheBytesPerCycle;
        return ProductTileChoice.Cycles(
            tile, parts, sizes, Math.Max(arithmetic, Math.Max(shared, cache)), WarpgroupRing.TasksTogether(tile, size, gpu), gpu);
    }
}
