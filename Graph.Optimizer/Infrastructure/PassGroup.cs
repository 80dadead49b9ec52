using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Passes that make work for each other: repeated, in order, until none changes anything.</summary>
/// <param name="name">The id of the group.</param>
/// <param name="maxRounds">Rounds after which the group gives up; reaching it is logged as a defect.</param>
/// <param name="passes">The passes, in order.</param>
public sealed class PassGroup(string name, int maxRounds, params ImmutableArray<IGraphPass> passes)
{
    /// <summary>The id of the group.</summary>
    public string Name { get; } = name;

    /// <summary>Rounds after which the group gives up.</summary>
    public int MaxRounds { get; } = maxRounds;

    /// <summary>The passes, in order.</summary>
    public ImmutableArray<IGraphPass> Passes { get; } = passes;

    /// <summary>A group of one pass that runs once.</summary>
    public static PassGroup Once(IGraphPass pass) => new(pass.Name, 1, pass);
}
