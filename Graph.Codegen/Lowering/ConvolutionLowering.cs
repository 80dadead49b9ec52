namespace Graphene.Codegen;

/// <summary>
/// Chooses the schedule of a convolution fusion: by the order of its dimensions; depthwise ones, and those
/// in tiles, by themselves.
/// </summary>
internal static class ConvolutionLowering
{
    /// <summary>Lowers a convolution fusion, or returns null when no schedule covers it.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten) =>
        HeroFusion.TryCreate<ConvolutionOp>(fusion, isOverwritten) is { } hero && Choose(name, fusion, hero, target) is { } kernels
            ? [.. hero.Borders.Select(border => BorderLowering.Lower(name + "_border", border, target)), .. kernels]
            : null;

    private static IReadOnlyList<LoweredKernel>? Choose(string name, Node fusion, HeroFusion hero, KernelTarget target) =>
        hero.Pooling is not null
            ? WinogradConvolutionLowering.TryLower(name, fusion, hero, target)
                ?? ChannelsLastConvolutionLowering.TryLower(name, fusion, hero, target)
        : DepthwiseConvolutionLowering.TryLower(name, fusion, hero, target) is { } depthwise ? [depthwise]
        : WinogradConvolutionLowering.TryLower(name, fusion, hero, target) is { } winograd ? winograd
        : ChannelsLastConvolutionLowering.TryLower(name, fusion, hero, target) is { } product ? product
        : ChannelsFirstConvolutionLowering.TryLower(name, fusion, hero, target);
}
