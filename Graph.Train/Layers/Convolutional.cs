namespace Graphene.Train;

/// <summary>What convolutional layers have in common; images are [batch, spatial.., features].</summary>
public abstract class Convolutional : UnaryLayer
{
    private readonly Func<Tensor, Tensor>? _activation;
    private readonly Initializer _kernelInitializer;
    private readonly Initializer _biasInitializer;
    private readonly bool _useBias;

    private protected Convolutional(int spatialRank, ConvolutionSettings settings, string? name)
        : base(name)
    {
        SpatialRank = spatialRank;
        KernelSize = settings.KernelSize;
        Strides = settings.Strides;
        Dilation = settings.Dilation;
        Padding = settings.Padding;
        _activation = settings.Activation;
        _useBias = settings.UseBias;
        _kernelInitializer = settings.KernelInitializer ?? Initializers.GlorotUniform;
        _biasInitializer = settings.BiasInitializer ?? Initializers.Zeros;
    }

    /// <summary>The kernel; null before the first call.</summary>
    public Variable? Kernel { get; private set; }

    /// <summary>One number for each output feature; null before the first call and when there is none.</summary>
    public Variable? Bias { get; private set; }

    private protected int SpatialRank { get; }

    private protected long KernelSize { get; }

    private protected long Strides { get; }

    private protected long Dilation { get; }

    private protected PaddingMode Padding { get; }

    /// <inheritdoc/>
    protected sealed override void Build(LayerContext context, Tensor input)
    {
        Require(
            input.Rank == SpatialRank + 2, input,
            SpatialRank == 1 ? "sequences [batch, steps, features]" : "images [batch, height, width, features]");
        long features = StaticSize(input, -1);
        Dim[] spatial = [.. Enumerable.Repeat((Dim)KernelSize, SpatialRank)];
        Kernel = AddWeight(
            context, "kernel", new TensorType(input.DType, [.. spatial, .. KernelFeatures(features)]), _kernelInitializer);
        if (_useBias)
        {
            Bias = AddWeight(context, "bias", new TensorType(input.DType, [OutputFeatures(features)]), _biasInitializer);
        }
    }

    /// <inheritdoc/>
    protected sealed override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor result = Convolve(input, Kernel!.Read());
        Tensor sum = Bias is null ? result : result + Bias.Read();
        return _activation is null ? sum : _activation(sum);
    }

    /// <summary>The last two dimensions of the kernel.</summary>
    private protected abstract Dim[] KernelFeatures(long inputFeatures);

    /// <summary>The number of output features.</summary>
    private protected abstract long OutputFeatures(long inputFeatures);

    /// <summary>The convolution itself.</summary>
    private protected virtual Tensor Convolve(Tensor input, Tensor kernel) => Convolve(input, kernel, groups: 1);

    /// <summary>A convolution with the layer's window in a number of feature groups.</summary>
    private protected Tensor Convolve(Tensor input, Tensor kernel, long groups)
    {
        WindowDim[] window = [.. Enumerable.Range(1, SpatialRank).Select(axis => PoolingComposites.Pad(
            input.Shape[axis], new WindowDim(KernelSize, Strides, Dilation: Dilation), Padding))];
        return input.Convolution(kernel, ConvolutionDimensions.ChannelsLast(SpatialRank), window, groups);
    }
}

/// <summary>The numbers and functions of a convolutional layer.</summary>
internal sealed record ConvolutionSettings(
    long KernelSize,
    long Strides,
    PaddingMode Padding,
    long Dilation,
    Func<Tensor, Tensor>? Activation,
    bool UseBias,
    Initializer? KernelInitializer,
    Initializer? BiasInitializer);
