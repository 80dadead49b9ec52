namespace Graphene.Codegen;

/// <summary>
/// Lowers a convolution whose features are the fastest dimension as matrix products: see <see cref="ConvolutionSpace"/>. The input is
/// read where it lies.
/// </summary>
/// <remarks>
/// Neither im2col nor a copy: the row of position p begins at p * stride in the input, and each k adds the same offset to every
/// row. That needs an input without padding, so the optimizer pads in front (<c>ConvolutionPadding</c>).
/// </remarks>
internal static class ChannelsLastConvolutionLowering
{
    /// <summary>Lowers a convolution fusion, or returns null when it needs another schedule.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node fusion, HeroFusion hero, KernelTarget target)
    {
        var op = (ConvolutionOp)hero.Hero.Op;
        return op.Dimensions.ResultFeature == hero.Hero.Rank - 1 && op.BatchGroups == 1 &&
            op.Window.All(ConvolutionSpace.ReadsInsideOnly) &&
            ConvolutionSpace.Of(hero).ToProduct(hero, op.AccumulationType, op.ResultType) is { } product
            ? MatrixProductLowering.Lower(name, fusion, product with { Borders = BorderTaps.Of(fusion, hero, product) }, target)
            : null;
    }
}
