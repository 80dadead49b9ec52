namespace Graphene.Codegen;

/// <summary>How the elements of an operand come from memory into a tile.</summary>
/// <param name="IsAlongDepth">Whether neighbouring threads read neighbouring k; else neighbouring rows or columns.</param>
/// <param name="Width">How many elements a thread reads at once.</param>
/// <param name="IsAsync">Whether they are copied past the registers.</param>
/// <param name="IsTurned">Whether lines of the tile are the other way than memory is read.</param>
internal sealed record CopyForm(bool IsAlongDepth, int Width, bool IsAsync, bool IsTurned)
{
    /// <summary>Bytes that an access can have at the most.</summary>
    public const int MostBytes = 16;

    private const int FewestAsyncBytes = 4;

    /// <summary>Whether lines of the tile are in order of k.</summary>
    public bool IsTileAlongDepth => IsAlongDepth != IsTurned;

    /// <summary>Chooses how an operand is read: as wide as its place in memory allows.</summary>
    /// <param name="product">The product.</param>
    /// <param name="operand">One of its operands.</param>
    /// <param name="axis">The operand's rows or columns.</param>
    /// <param name="needsDepth">Whether lines of the tile must be in order of k.</param>
    /// <param name="gpu">The machine.</param>
    public static CopyForm Choose(GpuProduct product, ProductOperand operand, ProductAxis axis, bool needsDepth, GpuTarget gpu)
    {
        int size = operand.Element.DType.SizeInBytes();
        int along = operand.Width(product.Depth, [axis, product.Batch], MostBytes / size);
        int across = operand.Width(axis, [product.Depth, product.Batch], MostBytes / size);
        bool isAlongDepth = along != across ? along > across : !IsNextTo(operand, axis);
        int width = Math.Max(along, across);
        bool isTurned = needsDepth && !isAlongDepth;
        bool isAsync = !isTurned && operand.Buffer is { IsReadOnly: true } && width * size >= FewestAsyncBytes && gpu.HasAsyncCopies;
        return new CopyForm(isAlongDepth, width, isAsync, isTurned);
    }

    // Whether elements that an operand is computed from are neighbours along an axis.
    private static bool IsNextTo(ProductOperand operand, ProductAxis axis) => axis.Fastest is { } fastest &&
        ExprAnalysis.All([operand.Element]).OfType<LoadExpr>().Any(load => AffineIndex.Of(load)[fastest.Last] == 1);
}
