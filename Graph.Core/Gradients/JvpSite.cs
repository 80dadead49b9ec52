using System.Collections.Immutable;

namespace Graphene;

/// <summary>A node whose operands have tangents, about to give tangents to its results.</summary>
/// <param name="builder">Where the rule builds.</param>
/// <param name="node">The node.</param>
/// <param name="tangents">One for each operand, of its type; null for zero. At least one is there.</param>
public sealed class JvpSite(GraphBuilder builder, Node node, ImmutableArray<Node?> tangents)
{
    /// <summary>Where the rule builds.</summary>
    public GraphBuilder Builder => builder;

    /// <summary>The node.</summary>
    public Node Node => node;

    /// <summary>One for each operand; null for zero.</summary>
    public ImmutableArray<Node?> Tangents => tangents;

    /// <summary>The tangent of an operand, zeros made explicit.</summary>
    public Node Tangent(int operand) => tangents[operand] ?? builder.Zeros(node.Operands[operand].Type);

    /// <summary>The error for a use of the op that has no rule.</summary>
    public GraphException Refuse(string why, string? fix = null) => GradientErrors.NotDifferentiable(node, why, fix);
}
