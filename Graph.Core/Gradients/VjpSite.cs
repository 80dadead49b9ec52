using System.Collections.Immutable;

namespace Graphene;

/// <summary>A node whose results have cotangents, about to give cotangents to its operands.</summary>
/// <param name="builder">Where the rule builds.</param>
/// <param name="node">The node.</param>
/// <param name="cotangents">One for each result, of its type; null for zero. At least one is there.</param>
/// <param name="needed">True for the operands whose cotangents somebody wants.</param>
public sealed class VjpSite(
    GraphBuilder builder, Node node, ImmutableArray<Node?> cotangents, ImmutableArray<bool> needed)
{
    /// <summary>Where the rule builds.</summary>
    public GraphBuilder Builder => builder;

    /// <summary>The node.</summary>
    public Node Node => node;

    /// <summary>One for each result; null for zero.</summary>
    public ImmutableArray<Node?> Cotangents => cotangents;

    /// <summary>True when somebody wants the cotangent of an operand; for all others null is as good an answer.</summary>
    public bool Needs(int operand) => needed[operand];

    /// <summary>The cotangent of a result, zeros made explicit.</summary>
    public Node Cotangent(int result) => cotangents[result] ?? builder.Zeros(node.Types[result]);

    /// <summary>The error for a use of the op that has no rule.</summary>
    public GraphException Refuse(string why, string? fix = null) => GradientErrors.NotDifferentiable(node, why, fix);
}
