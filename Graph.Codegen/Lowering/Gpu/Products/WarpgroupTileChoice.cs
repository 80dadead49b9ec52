namespace Graphene.Codegen;

/// <summary>The sizes of tiles for <see cref="WarpgroupRing"/>, beside which <see cref="ProductTileChoice"/> chooses.</summary>
/// <remarks>
/// The model is that of <see cref="ProductTileChoice"/> with the multiply-adds of the data sheet of an H100 for dense
/// operands: 2048 for each cycle and multiprocessor in half precision, twice that of bytes, half of it in TF32. Nothing
/// of it was measured.
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

    /// <summary>
    /// The plans for a product with what the model expects of each, in cycles of the machine; none where
    /// warpgroups cannot compute it.
    /// </summary>
    /// <param name="sizes">The sizes.</param>
    /// <param name="parts">Into how many parts k may be cut.</param>
    /// <param name="gpu">The machine.</param>
    public static IEnumerable<(ProductPlan Plan, double Cycles)> Candidates(ProductSizes sizes, int parts, GpuTarget gpu)
    {
        if (!sizes.MayUseWarpgroups)
        {
            yield break;
        }
        foreach (ProductTile tile in Tiles(sizes.ElementBytes))
        {
            for (int n = 1; n <= parts && (n == 1 || sizes.Depth / n >= ProductTileChoice.ShortestPart); n *= 2)
            {
                yield return (new ProductPlan(ProductUnit.Warpgroups, tile, n), Cycles(tile, n, sizes, gpu));
            }
        }
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
