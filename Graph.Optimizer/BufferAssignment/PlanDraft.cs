using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>A computation plan before buffers have numbers: steps refer to values.</summary>
internal sealed class PlanDraft(Computation computation)
{
    public Computation Computation { get; } = computation;

    public List<DraftStep> Steps { get; } = [];

    public Dictionary<(Node Node, int Result), Value> Values { get; } = [];

    /// <summary>Where each result is when the computation ends; known last.</summary>
    public List<Value> Results { get; } = [];

    public Value ValueOf(Node node)
    {
        (Node source, int result) = MemoryNames.Resolve(node);
        return Values[(source, result)];
    }
}

/// <summary>A step before buffers have numbers.</summary>
internal abstract record DraftStep(int Number);

internal sealed record DraftRun(
    int Number, Node Node, ImmutableArray<Value> Operands, ImmutableArray<Value> Results, ImmutableArray<Value> Workspaces)
    : DraftStep(Number)
{
    /// <summary>See <see cref="RunStep.PartsInPlace"/>; known when parts share memory.</summary>
    public ImmutableArray<int> PartsInPlace { get; set; } = [];
}

/// <summary>A copy; nothing when both values turn out to share their memory.</summary>
internal sealed record DraftCopy(int Number, Value From, Value To) : DraftStep(Number);

/// <summary>Runs nothing: operands and results lie in each other already.</summary>
internal sealed record DraftParts(int Number, Node Node, ImmutableArray<Value> Operands, ImmutableArray<Value> Results)
    : DraftStep(Number);

internal sealed record DraftWhile(
    int Number, Node Node, ImmutableArray<Value> Initial, ImmutableArray<Value> Carried, PlanDraft Condition, PlanDraft Body)
    : DraftStep(Number)
{
    /// <summary>The last step of the loop: carried values live until then.</summary>
    public int End { get; set; }

    /// <summary>How many of the loops that follow at once may run at the same time as this one.</summary>
    public int Beside { get; set; }

    /// <summary>The step, or first of the steps, that move the next values to where the round began.</summary>
    public int EndOfRound { get; set; }
}

internal sealed record DraftBranch(
    int Number, Node Node, Value Selector, ImmutableArray<Value> Results, ImmutableArray<PlanDraft> Branches) : DraftStep(Number);
