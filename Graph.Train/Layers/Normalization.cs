namespace Graphene.Train;

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015): each feature is standardized, in training by the statistics of the batch, else by
/// their moving averages, then scaled and shifted.
/// </summary>
/// <param name="axis">The axis of the features; negative from the end.</param>
/// <param name="momentum">How much of a moving average stays in each step.</param>
/// <param name="epsilon">Keeps the divisor from 0.</param>
/// <param name="center">Whether results are shifted by beta.</param>
/// <param name="scale">Whether results are scaled by gamma.</param>
/// <param name="name">The layer's name.</param>
public sealed class BatchNormalization(
    int axis = -1,
    double momentum = 0.99,
    double epsilon = 1e-3,
    bool center = true,
    bool scale = true,
    string? name = null) : UnaryLayer(name)
{
    /// <summary>The scale of each feature; null before the first call and when there is none.</summary>
    public Variable? Gamma { get; private set; }

    /// <summary>The shift of each feature; null before the first call and when there is none.</summary>
    public Variable? Beta { get; private set; }

    /// <summary>The moving average of means; null before the first call.</summary>
    public Variable? MovingMean { get; private set; }

    /// <summary>The moving average of variances; null before the first call.</summary>
    public Variable? MovingVariance { get; private set; }

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        Require(input.Rank >= 2, input, "a tensor with a batch and a feature dimension");
        var type = new TensorType(input.DType, [StaticSize(input, axis)]);
        Gamma = scale ? AddWeight(context, "gamma", type, Initializers.Ones) : null;
        Beta = center ? AddWeight(context, "beta", type, Initializers.Zeros) : null;
        MovingMean = AddWeight(context, "moving_mean", type, Initializers.Zeros, trainable: false);
        MovingVariance = AddWeight(context, "moving_variance", type, Initializers.Ones, trainable: false);
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        int features = axis < 0 ? input.Rank + axis : axis;
        Tensor gamma = Gamma?.Read() ?? context.Graph.Ones(input.DType, MovingMean!.Type.Shape);
        Tensor beta = Beta?.Read() ?? context.Graph.Zeros(input.DType, MovingMean!.Type.Shape);
        if (!context.Training || !Trainable)
        {
            return input.BatchNorm(gamma, beta, MovingMean!.Read(), MovingVariance!.Read(), epsilon, features);
        }
        Axes kept = [features];
        Axes others = kept.Complement(input.Rank);
        Tensor mean = input.ReduceMean(others);
        Tensor variance = input.ReduceVariance(others);
        context.AddUpdate(Move(MovingMean!, mean));
        context.AddUpdate(Move(MovingVariance!, variance));
        return input.BatchNorm(gamma, beta, mean, variance, epsilon, features);
    }

    private Operation Move(Variable average, Tensor value)
    {
        Tensor now = average.Read();
        return average.Assign(now + ((value.StopGradient() - now) * (1 - momentum)));
    }
}

/// <summary>Layer normalization (Ba et al., 2016): each example is standardized along the last axes, then scaled and shifted.</summary>
/// <param name="axis">The first of the axes; negative from the end.</param>
/// <param name="epsilon">Keeps the divisor from 0.</param>
/// <param name="center">Whether results are shifted by beta.</param>
/// <param name="scale">Whether results are scaled by gamma.</param>
/// <param name="name">The layer's name.</param>
public sealed class LayerNormalization(
    int axis = -1, double epsilon = 1e-3, bool center = true, bool scale = true, string? name = null) : UnaryLayer(name)
{
    /// <summary>The scales; null before the first call and when there are none.</summary>
    public Variable? Gamma { get; private set; }

    /// <summary>The shifts; null before the first call and when there are none.</summary>
    public Variable? Beta { get; private set; }

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        int first = axis < 0 ? input.Rank + axis : axis;
        Require(first > 0 && first < input.Rank, input, $"a tensor with more than {(axis < 0 ? -axis : axis)} dimensions");
        Dim[] sizes = [.. Enumerable.Range(first, input.Rank - first).Select(at => (Dim)StaticSize(input, at))];
        var type = new TensorType(input.DType, Shape.From(sizes));
        Gamma = scale ? AddWeight(context, "gamma", type, Initializers.Ones) : null;
        Beta = center ? AddWeight(context, "beta", type, Initializers.Zeros) : null;
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input) =>
        input.LayerNorm(Gamma?.Read(), Beta?.Read(), axis, epsilon);
}
