namespace Graphene.Train;

/// <summary>The mean of squared differences.</summary>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class MeanSquaredError(LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "mean_squared_error";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) =>
        (prediction - Alike(target, prediction)).Square().ReduceMean(-1);
}

/// <summary>The mean of absolute differences.</summary>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class MeanAbsoluteError(LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "mean_absolute_error";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) =>
        (prediction - Alike(target, prediction)).Abs().ReduceMean(-1);
}

/// <summary>Half the square of small differences, linear for large ones (Huber, 1964).</summary>
/// <param name="delta">Where it becomes linear.</param>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class Huber(double delta = 1, LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "huber_loss";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        Tensor difference = prediction - Alike(target, prediction);
        Tensor size = difference.Abs();
        Tensor far = (size * delta) - (0.5 * delta * delta);
        return size.LessEqual(delta).Where(difference.Square() * 0.5, far).ReduceMean(-1);
    }
}

/// <summary>The mean of log(cosh(difference)): about half the square of small, the size of large differences.</summary>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class LogCosh(LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "log_cosh";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        // log((e^d + e^-d) / 2) = d + softplus(-2 d) - log 2, without overflow.
        Tensor difference = prediction - Alike(target, prediction);
        return (difference + (difference * -2).Softplus() - Math.Log(2)).ReduceMean(-1);
    }
}

/// <summary>The mean of max(1 - target * prediction, 0) with targets -1 and 1; targets 0 and 1 are converted by the caller.</summary>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class Hinge(LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "hinge";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) =>
        (1 - (Alike(target, prediction) * prediction)).Relu().ReduceMean(-1);
}
