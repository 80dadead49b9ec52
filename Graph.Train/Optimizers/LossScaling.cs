namespace Graphene.Train;

/// <summary>
/// Multiplies the loss so that small gradients do not vanish in narrow types, and divides the gradients again (Micikevicius et al.,
/// 2018). A step with a gradient that is not finite is left out and halves the scale; enough good steps double it.
/// </summary>
public sealed record LossScaling
{
    /// <summary>The first scale.</summary>
    public double InitialScale { get; init; } = 32768;

    /// <summary>The steps in a row without infinities after which the scale doubles; 0 for a scale that never grows.</summary>
    public long GrowthSteps { get; init; } = 2000;

    /// <summary>What follows from a step: the next scale.</summary>
    internal Operation Adjust(Variable scale, Variable goodSteps, Tensor finite)
    {
        Graph graph = scale.Graph;
        Tensor now = scale.Read();
        Tensor good = goodSteps.Read() + 1;
        Tensor grows = GrowthSteps > 0 ? good.GreaterEqual(GrowthSteps) : graph.Constant(false);
        Tensor next = finite.Where(grows.Where(now * 2, now), (now * 0.5).Maximum(graph.Constant(1f)));
        Tensor counted = finite.LogicalAnd(grows.LogicalNot()).Where(good, graph.Constant(0L));
        return graph.Group(scale.Assign(next), goodSteps.Assign(counted));
    }
}
