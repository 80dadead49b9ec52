using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>What buffer assignment is told by its caller.</summary>
public sealed record MemoryPlanOptions
{
    /// <summary>Nothing donated, no workspaces.</summary>
    public static MemoryPlanOptions Default { get; } = new();

    /// <summary>
    /// Results of the entry that take the memory of one of its parameters (a variable's new value that of its old one), as pairs
    /// of result number and parameter number. Each parameter at most once; types must be equal.
    /// </summary>
    public ImmutableDictionary<int, int> Donations { get; init; } = ImmutableDictionary<int, int>.Empty;

    /// <summary>Gives the sizes in bytes of the memory that a node's kernel needs while it runs.</summary>
    public Func<Node, IReadOnlyList<Dim>>? Workspaces { get; init; }
}
