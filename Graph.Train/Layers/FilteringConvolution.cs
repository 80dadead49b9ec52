namespace Graphene.Train;

/// <summary>A convolution whose filters see all features, or those of their group.</summary>
public abstract class FilteringConvolution : Convolutional
{
    private readonly long _filters;
    private readonly long _groups;

    private protected FilteringConvolution(int spatialRank, long filters, long groups, ConvolutionSettings settings, string? name)
        : base(spatialRank, settings, name) => (_filters, _groups) = (filters, groups);

    private protected override Dim[] KernelFeatures(long inputFeatures) => [inputFeatures / _groups, _filters];

    private protected override long OutputFeatures(long inputFeatures) => _filters;

    private protected override Tensor Convolve(Tensor input, Tensor kernel) => Convolve(input, kernel, _groups);
}
