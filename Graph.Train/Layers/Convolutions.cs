namespace Graphene.Train;

/// <summary>A convolution along sequences [batch, steps, features]; its kernel is [steps, inputs / groups, filters].</summary>
/// <inheritdoc cref="Conv2D" path="/param"/>
public sealed class Conv1D(
    long filters,
    long kernelSize,
    long strides = 1,
    PaddingMode padding = PaddingMode.Valid,
    Func<Tensor, Tensor>? activation = null,
    long dilation = 1,
    long groups = 1,
    bool useBias = true,
    Initializer? kernelInitializer = null,
    Initializer? biasInitializer = null,
    string? name = null) : FilteringConvolution(
        1, filters, groups, new(kernelSize, strides, padding, dilation, activation, useBias, kernelInitializer, biasInitializer), name);

/// <summary>
/// A convolution over images [batch, height, width, features]; its kernel is [height, width, inputs / groups, filters].
/// </summary>
/// <param name="filters">The number of output features.</param>
/// <param name="kernelSize">The size of the kernel, the same in all directions.</param>
/// <param name="strides">The step, the same in all directions.</param>
/// <param name="padding">Valid or same.</param>
/// <param name="activation">Applied to the result; none when null.</param>
/// <param name="dilation">The distance of kernel elements.</param>
/// <param name="groups">The number of feature groups.</param>
/// <param name="useBias">Whether there is a bias.</param>
/// <param name="kernelInitializer">Makes the kernel; Glorot's uniform when null.</param>
/// <param name="biasInitializer">Makes the bias; zeros when null.</param>
/// <param name="name">The layer's name.</param>
public sealed class Conv2D(
    long filters,
    long kernelSize,
    long strides = 1,
    PaddingMode padding = PaddingMode.Valid,
    Func<Tensor, Tensor>? activation = null,
    long dilation = 1,
    long groups = 1,
    bool useBias = true,
    Initializer? kernelInitializer = null,
    Initializer? biasInitializer = null,
    string? name = null) : FilteringConvolution(
        2, filters, groups, new(kernelSize, strides, padding, dilation, activation, useBias, kernelInitializer, biasInitializer), name);

/// <summary>A convolution of each feature of images by itself, giving so many results each.</summary>
/// <param name="kernelSize">The side of the kernel.</param>
/// <param name="strides">The step, the same in both directions.</param>
/// <param name="padding">Valid or same.</param>
/// <param name="depthMultiplier">Results of each input feature.</param>
/// <param name="activation">Applied to the result; none when null.</param>
/// <param name="dilation">The distance of kernel elements.</param>
/// <param name="useBias">Whether there is a bias.</param>
/// <param name="kernelInitializer">Makes the kernel [height, width, inputs, multiplier]; Glorot's uniform when null.</param>
/// <param name="biasInitializer">Makes the bias; zeros when null.</param>
/// <param name="name">The layer's name.</param>
public sealed class DepthwiseConv2D(
    long kernelSize,
    long strides = 1,
    PaddingMode padding = PaddingMode.Valid,
    long depthMultiplier = 1,
    Func<Tensor, Tensor>? activation = null,
    long dilation = 1,
    bool useBias = true,
    Initializer? kernelInitializer = null,
    Initializer? biasInitializer = null,
    string? name = null) : Convolutional(
        2, new(kernelSize, strides, padding, dilation, activation, useBias, kernelInitializer, biasInitializer), name)
{
    /// <inheritdoc/>
    protected override string DefaultName => "depthwise_conv2d";

    private protected override Dim[] KernelFeatures(long inputFeatures) => [inputFeatures, depthMultiplier];

    private protected override long OutputFeatures(long inputFeatures) => inputFeatures * depthMultiplier;

    // Each input feature is a group of its own: the kernel of a group has one input feature.
    private protected override Tensor Convolve(Tensor input, Tensor kernel)
    {
        long features = kernel.Shape[2].Value;
        return Convolve(input, kernel.Reshape([KernelSize, KernelSize, 1, features * depthMultiplier]), features);
    }
}

/// <summary>A transposed convolution over images: what the gradient of a convolution does to its result.</summary>
/// <param name="filters">The number of output features.</param>
/// <param name="kernelSize">The side of the kernel.</param>
/// <param name="strides">How many times larger the result is, about.</param>
/// <param name="padding">
/// Valid: the result has a side of <c>input * strides + max(kernelSize - strides, 0)</c>; same: <c>input * strides</c>.
/// </param>
/// <param name="activation">Applied to the result; none when null.</param>
/// <param name="useBias">Whether there is a bias.</param>
/// <param name="kernelInitializer">Makes the kernel [height, width, filters, inputs]; Glorot's uniform when null.</param>
/// <param name="biasInitializer">Makes the bias; zeros when null.</param>
/// <param name="name">The layer's name.</param>
public sealed class Conv2DTranspose(
    long filters,
    long kernelSize,
    long strides = 1,
    PaddingMode padding = PaddingMode.Valid,
    Func<Tensor, Tensor>? activation = null,
    bool useBias = true,
    Initializer? kernelInitializer = null,
    Initializer? biasInitializer = null,
    string? name = null) : Convolutional(
        2, new(kernelSize, strides, padding, 1, activation, useBias, kernelInitializer, biasInitializer), name)
{
    private protected override Dim[] KernelFeatures(long inputFeatures) => [filters, inputFeatures];

    private protected override long OutputFeatures(long inputFeatures) => filters;

    private protected override Tensor Convolve(Tensor input, Tensor kernel)
    {
        // As the gradient by its input of the convolution that takes the result's size to the input's.
        long excess = Math.Max(KernelSize - Strides, 0);
        long before = Padding == PaddingMode.Valid ? 0 : excess / 2;
        var window = new WindowDim[2];
        for (int i = 0; i < window.Length; i++)
        {
            Dim size = input.Shape[i + 1];
            Dim output = (size * Strides) + (Padding == PaddingMode.Valid ? excess : 0);
            Dim low = KernelSize - 1 - before;
            Dim high = output - 1 + KernelSize - ((size - 1) * Strides) - 1 - low;
            window[i] = new WindowDim(KernelSize, 1, low, high, BaseDilation: Strides, Reversed: true);
        }
        ConvolutionDimensions order = ConvolutionDimensions.ChannelsLast(2) with { RhsOutputFeature = 2, RhsInputFeature = 3 };
        return input.Convolution(kernel, order, window);
    }
}
