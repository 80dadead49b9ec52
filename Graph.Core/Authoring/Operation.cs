using System.Collections.Immutable;

namespace Graphene;

/// <summary>Something that a run does rather than computes: an assignment, a message, a check.</summary>
/// <remarks>It happens in a run when it is fetched as a target, or when something that is fetched depends on it.</remarks>
public sealed class Operation
{
    internal Operation(Graph graph, ImmutableArray<Node> nodes)
    {
        Graph = graph;
        Nodes = nodes;
    }

    /// <summary>The graph it belongs to.</summary>
    public Graph Graph { get; }

    internal ImmutableArray<Node> Nodes { get; }
}
