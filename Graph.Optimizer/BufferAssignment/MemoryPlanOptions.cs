using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>What buffer assignment is told by its caller.</summary>
public sealed record MemoryPlanOptions
{
    /// <summary>Nothing donated, no workspaces, no parts.</summary>
    public static MemoryPlanOptions Default { get; } = new();

    /// <summary>
    /// Results of the entry that take the memory of one of its parameters (a variable's new value that of its old one), as pairs
    /// of result number and parameter number. Each parameter at most once; types must be equal.
    /// </summary>
    public ImmutableDictionary<int, int> Donations { get; init; } = ImmutableDictionary<int, int>.Empty;

    /// <summary>
    /// Whether a value may lie in a part of another's memory, at any place that the size of its elements allows: operands of
    /// concatenations are written where the result has them, and slices read where their operand has them.
    /// </summary>
    public bool SharesParts { get; init; }

    /// <summary>
    /// Whether the kernel of a node can write its result as a box of another value, in the workspace that it asked for; null where any can.
    /// </summary>
    public Func<Node, PartBox, bool>? WritesBox { get; init; }

    /// <summary>Which loops may run at the same time; null to run all one after the other.</summary>
    public LoopSharing? Loops { get; init; }

    /// <summary>Gives the sizes in bytes of the memory that a node's kernel needs while it runs.</summary>
    public Func<Node, IReadOnlyList<Dim>>? Workspaces { get; init; }
}
