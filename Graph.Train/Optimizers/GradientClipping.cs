namespace Graphene.Train;

/// <summary>Bounds gradients before they are used.</summary>
public abstract class GradientClipping
{
    /// <summary>Each element bounded to -limit..limit.</summary>
    public static GradientClipping ByValue(double limit) => new ValueClipping(limit);

    /// <summary>Each gradient scaled so that its Euclidean norm is at most a limit.</summary>
    public static GradientClipping ByNorm(double limit) => new NormClipping(limit);

    /// <summary>All gradients scaled by one factor, so that the norm of all together is at most a limit.</summary>
    public static GradientClipping ByGlobalNorm(double limit) => new GlobalNormClipping(limit);

    /// <summary>The Euclidean norm of all elements of all tensors, an f32 scalar.</summary>
    public static Tensor GlobalNorm(IReadOnlyList<Tensor> tensors) =>
        tensors.Select(t => t.Cast(DType.F32).Square().ReduceSum()).Aggregate((sum, one) => sum + one).Sqrt();

    /// <summary>The bounded gradients.</summary>
    public abstract IReadOnlyList<Tensor> Apply(IReadOnlyList<Tensor> gradients);

    // limit / max(norm, limit): exactly 1 up to the limit.
    private static Tensor Factor(Tensor norm, double limit) =>
        limit / norm.Maximum(norm.Graph.Constant((float)limit).Cast(norm.DType));

    private sealed class ValueClipping(double limit) : GradientClipping
    {
        public override IReadOnlyList<Tensor> Apply(IReadOnlyList<Tensor> gradients) =>
            [.. gradients.Select(g => g.ClipByValue(-limit, limit))];
    }

    private sealed class NormClipping(double limit) : GradientClipping
    {
        public override IReadOnlyList<Tensor> Apply(IReadOnlyList<Tensor> gradients) =>
            [.. gradients.Select(g => g * Factor(g.Norm(), limit))];
    }

    private sealed class GlobalNormClipping(double limit) : GradientClipping
    {
        public override IReadOnlyList<Tensor> Apply(IReadOnlyList<Tensor> gradients)
        {
            Tensor factor = Factor(GlobalNorm(gradients), limit);
            return [.. gradients.Select(g => g * factor.Cast(g.DType))];
        }
    }
}
