namespace Graphene.Train;

/// <summary>Divides by the root of a moving average of squared gradients (Tieleman and Hinton, 2012).</summary>
/// <param name="learningRate">A number or a schedule.</param>
/// <param name="rho">How much of the average stays.</param>
/// <param name="momentum">How much of the last change stays; 0 for none.</param>
/// <param name="epsilon">Keeps the divisor from 0.</param>
/// <param name="centered">True to subtract the square of the average gradient, which estimates the variance.</param>
/// <param name="name">The name of its state.</param>
public sealed class RMSprop(
    Schedule learningRate,
    double rho = 0.9,
    double momentum = 0,
    double epsilon = 1e-7,
    bool centered = false,
    string name = "RMSprop") : Optimizer(learningRate, name)
{
    /// <inheritdoc/>
    protected override Tensor Next(ParameterUpdate update)
    {
        Tensor g = update.Gradient;
        Variable velocity = update.Slot("velocity");
        Tensor square = update.Set(velocity, (velocity.Read() * rho) + (g.Square() * (1 - rho)));
        if (centered)
        {
            Variable average = update.Slot("average_gradient");
            square -= update.Set(average, (average.Read() * rho) + (g * (1 - rho))).Square();
        }
        Tensor change = g * update.LearningRate / (square + epsilon).Sqrt();
        if (momentum == 0)
        {
            return update.Value - change;
        }
        Variable last = update.Slot("momentum");
        return update.Value - update.Set(last, (last.Read() * momentum) + change);
    }
}

/// <summary>Divides by the root of the sum of all squared gradients (Duchi et al., 2011).</summary>
/// <param name="learningRate">A number or a schedule.</param>
/// <param name="initialAccumulatorValue">Where the sums begin.</param>
/// <param name="epsilon">Keeps the divisor from 0.</param>
/// <param name="name">The name of its state.</param>
public sealed class Adagrad(
    Schedule learningRate, double initialAccumulatorValue = 0.1, double epsilon = 1e-7, string name = "Adagrad")
    : Optimizer(learningRate, name)
{
    /// <inheritdoc/>
    protected override Tensor Next(ParameterUpdate update)
    {
        Variable sum = update.Slot("accumulator", initialAccumulatorValue);
        Tensor square = update.Set(sum, sum.Read() + update.Gradient.Square());
        return update.Value - (update.Gradient * update.LearningRate / (square + epsilon).Sqrt());
    }
}

/// <summary>Moving averages of gradients and of their squares, both corrected for beginning at 0 (Kingma and Ba, 2015).</summary>
/// <param name="learningRate">A number or a schedule.</param>
/// <param name="beta1">How much of the average of gradients stays.</param>
/// <param name="beta2">How much of the average of squares stays.</param>
/// <param name="epsilon">Keeps the divisor from 0; the paper's epsilon hat.</param>
/// <param name="name">The name of its state.</param>
public class Adam(
    Schedule learningRate, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-7, string name = "Adam")
    : Optimizer(learningRate, name)
{
    /// <inheritdoc/>
    protected override Tensor Next(ParameterUpdate update)
    {
        Tensor g = update.Gradient;
        Variable first = update.Slot("momentum");
        Variable second = update.Slot("velocity");
        Tensor m = first.Read();
        Tensor v = second.Read();
        m = update.Set(first, m + ((g - m) * (1 - beta1)));
        v = update.Set(second, v + ((g.Square() - v) * (1 - beta2)));

        // 1 - beta^t, which the difference of nearly equal numbers would spoil in the first steps.
        Tensor correction = Missing(update.Step, beta2).Sqrt() / Missing(update.Step, beta1);
        return update.Value - (m * (update.LearningRate * correction) / (v.Sqrt() + epsilon));
    }

    private static Tensor Missing(Tensor step, double beta) => (step * Math.Log(beta)).Expm1().Neg();
}

/// <summary>Adam with weight decay that does not pass through the averages (Loshchilov and Hutter, 2019).</summary>
public sealed class AdamW : Adam
{
    /// <summary>Creates the optimizer.</summary>
    /// <param name="learningRate">A number or a schedule.</param>
    /// <param name="weightDecay">What each step takes from parameters, times the learning rate.</param>
    /// <param name="beta1">How much of the average of gradients stays.</param>
    /// <param name="beta2">How much of the average of squares stays.</param>
    /// <param name="epsilon">Keeps the divisor from 0.</param>
    /// <param name="name">The name of its state.</param>
    public AdamW(
        Schedule learningRate,
        double weightDecay = 0.004,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-7,
        string name = "AdamW")
        : base(learningRate, beta1, beta2, epsilon, name) => WeightDecay = weightDecay;
}

/// <summary>The sign of a mixture of gradient and momentum (Chen et al., 2023): one state, steps of equal size everywhere.</summary>
/// <param name="learningRate">A number or a schedule; three to ten times smaller than for Adam.</param>
/// <param name="beta1">How much momentum is in the mixture.</param>
/// <param name="beta2">How much of the momentum stays.</param>
/// <param name="name">The name of its state.</param>
public sealed class Lion(Schedule learningRate, double beta1 = 0.9, double beta2 = 0.99, string name = "Lion")
    : Optimizer(learningRate, name)
{
    /// <inheritdoc/>
    protected override Tensor Next(ParameterUpdate update)
    {
        Variable slot = update.Slot("momentum");
        Tensor m = slot.Read();
        Tensor mixture = (m * beta1) + (update.Gradient * (1 - beta1));
        update.Set(slot, (m * beta2) + (update.Gradient * (1 - beta2)));
        return update.Value - (mixture.Sign() * update.LearningRate);
    }
}
