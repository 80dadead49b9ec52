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
    private const int TurnedBytes = 4;

    /// <summary>How many lines of memory a thread reads together: as many as it then writes at once where bytes change places.</summary>
    public int Height(int elementBytes) => IsTurned && elementBytes == 1 && Width == TurnedBytes ? TurnedBytes : 1;

    /// <summary>Whether lines of the tile are in order of k.</summary>
    public bool IsTileAlongDepth => IsAlongDepth != IsTurned;

    /// <summary>Chooses how an operand is read: as wide as its place in memory allows.</summary>
    /// <param name="product">The product.</param>
    /// <param name="operand">One of its operands.</param>
    /// <param name="axis">The operand's rows or columns.</param>
    /// <param name="length">How many of them a tile has.</param>
    /// <param name="needsDepth">Whether lines of the tile must be in order of k.</param>
    /// <param name="gpu">The machine.</param>
    public static CopyForm Choose(
        GpuProduct product, ProductOperand operand, ProductAxis axis, int length, bool needsDepth, GpuTarget gpu)
    {
        int size = operand.Element.DType.SizeInBytes();
        int along = operand.Width(product.Depth, [axis, product.Batch], MostBytes / size, product.Analysis);
        int across = operand.Width(axis, [product.Depth, product.Batch], Math.Min(MostBytes / size, length), product.Analysis);
        bool isAlongDepth = along != across ? along > across : !IsNextTo(operand, axis);
        bool isTurned = needsDepth && !isAlongDepth;
        int width = Math.Min(Math.Max(along, across), isTurned && size == 1 ? TurnedBytes : MostBytes);
        bool isAsync = !isTurned && operand.Buffer is { IsReadOnly: true } && width * size >= FewestAsyncBytes && gpu.HasAsyncCopies;
        return new CopyForm(isAlongDepth, width, isAsync, isTurned);
    }

    // Whether elements that an operand is computed from are neighbours along an axis.
    private static bool IsNextTo(ProductOperand operand, ProductAxis axis) => axis.Fastest is { } fastest &&
        ExprAnalysis.All([operand.Element]).OfType<LoadExpr>().Any(load => AffineIndex.Of(load)[fastest.Last] == 1);
}
