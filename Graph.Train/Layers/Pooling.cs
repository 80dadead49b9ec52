namespace Graphene.Train;

/// <summary>The largest element of each window of sequences [batch, steps, features].</summary>
/// <param name="poolSize">The steps under the window.</param>
/// <param name="strides">The step; the window's size when null.</param>
/// <param name="padding">Valid or same.</param>
/// <param name="name">The layer's name.</param>
public sealed class MaxPooling1D(
    long poolSize = 2, long? strides = null, PaddingMode padding = PaddingMode.Valid, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank == 3, input, "sequences [batch, steps, features]");
        return input.MaxPool(PoolingWindow.Of(1, poolSize, strides, padding));
    }
}

/// <summary>The largest element of each window of images [batch, height, width, features].</summary>
/// <param name="poolSize">The side of the window.</param>
/// <param name="strides">The step; the window's size when null.</param>
/// <param name="padding">Valid or same.</param>
/// <param name="name">The layer's name.</param>
public sealed class MaxPooling2D(
    long poolSize = 2, long? strides = null, PaddingMode padding = PaddingMode.Valid, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank == 4, input, "images [batch, height, width, features]");
        return input.MaxPool(PoolingWindow.Of(2, poolSize, strides, padding));
    }
}

/// <summary>The mean of each window of sequences [batch, steps, features]; padding does not count.</summary>
/// <param name="poolSize">The steps under the window.</param>
/// <param name="strides">The step; the window's size when null.</param>
/// <param name="padding">Valid or same.</param>
/// <param name="name">The layer's name.</param>
public sealed class AveragePooling1D(
    long poolSize = 2, long? strides = null, PaddingMode padding = PaddingMode.Valid, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank == 3, input, "sequences [batch, steps, features]");
        return input.AvgPool(PoolingWindow.Of(1, poolSize, strides, padding));
    }
}

/// <summary>The mean of each window of images [batch, height, width, features]; padding does not count.</summary>
/// <param name="poolSize">The side of the window.</param>
/// <param name="strides">The step; the window's size when null.</param>
/// <param name="padding">Valid or same.</param>
/// <param name="name">The layer's name.</param>
public sealed class AveragePooling2D(
    long poolSize = 2, long? strides = null, PaddingMode padding = PaddingMode.Valid, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank == 4, input, "images [batch, height, width, features]");
        return input.AvgPool(PoolingWindow.Of(2, poolSize, strides, padding));
    }
}

/// <summary>The largest value of each feature over all positions: [batch, spatial.., features] becomes [batch, features].</summary>
/// <param name="keepDims">True to keep the spatial dimensions with size 1.</param>
/// <param name="name">The layer's name.</param>
public sealed class GlobalMaxPooling(bool keepDims = false, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank >= 3, input, "a tensor [batch, spatial.., features]");
        return input.ReduceMax(Axes.Range(1, input.Rank - 2), keepDims);
    }
}

/// <summary>The mean of each feature over all positions: [batch, spatial.., features] becomes [batch, features].</summary>
/// <param name="keepDims">True to keep the spatial dimensions with size 1.</param>
/// <param name="name">The layer's name.</param>
public sealed class GlobalAveragePooling(bool keepDims = false, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank >= 3, input, "a tensor [batch, spatial.., features]");
        return input.ReduceMean(Axes.Range(1, input.Rank - 2), keepDims);
    }
}

/// <summary>The windows of pooling layers.</summary>
internal static class PoolingWindow
{
    public static PoolingOptions Of(int rank, long size, long? strides, PaddingMode padding) => new(Repeated(rank, size))
    {
        Strides = Repeated(rank, strides ?? size),
        Padding = padding,
        ChannelsLast = true,
    };

    private static ValueList<long> Repeated(int count, long value) => Enumerable.Repeat(value, count).ToValueList();
}
