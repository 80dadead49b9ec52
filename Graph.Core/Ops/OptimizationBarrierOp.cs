using System.Collections.Immutable;

namespace Graphene;

/// <summary>Gives its operands back, all computed before any of the results is used; nothing is moved across it.</summary>
/// <remarks>Any number of operands of any type. Source: StableHLO specification, optimization_barrier.</remarks>
public sealed record OptimizationBarrierOp() : Op("optimization_barrier")
{
    /// <summary>The op has no attributes.</summary>
    public static Op Parse(AttributeReader a) => new OptimizationBarrierOp();

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site) => site.OperandTypes; // C1

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results) => [.. operands];

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    public override Node?[] VjpAll(VjpSite site) => [.. site.Cotangents];

    /// <inheritdoc/>
    public override Node?[] JvpAll(JvpSite site) => [.. site.Tangents];

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site) => site.Builder.OptimizationBarrier(site.AllMapped());
}

/// <summary>Builds barriers.</summary>
public static class OptimizationBarrierBuilder
{
    /// <summary>The operands again, behind a barrier that the optimizer does not look through.</summary>
    public static Node[] OptimizationBarrier(this GraphBuilder b, params ReadOnlySpan<Node> operands) =>
        operands.IsEmpty ? [] : b.Results(b.Add(new OptimizationBarrierOp(), operands));
}
