namespace Graphene.Train;

/// <summary>Gradient descent, with momentum: <c>v = momentum v - rate g; w = w + v</c>, and Nesterov's variant.</summary>
/// <param name="learningRate">A number or a schedule.</param>
/// <param name="momentum">How much of the last change stays; 0 for none.</param>
/// <param name="nesterov">True to look ahead: <c>w = w + momentum v - rate g</c>.</param>
/// <param name="name">The name of its state.</param>
public sealed class SGD(Schedule learningRate, double momentum = 0, bool nesterov = false, string name = "SGD")
    : Optimizer(learningRate, name)
{
    /// <inheritdoc/>
    protected override Tensor Next(ParameterUpdate update)
    {
        Tensor change = update.Gradient * update.LearningRate;
        if (momentum == 0)
        {
            return update.Value - change;
        }
        Variable slot = update.Slot("momentum");
        Tensor velocity = update.Set(slot, (slot.Read() * momentum) - change);
        return nesterov ? update.Value + ((velocity * momentum) - change) : update.Value + velocity;
    }
}
