namespace Graphene.Optimizer;

/// <summary>Which computations run as programs of their own.</summary>
public static class ControlFlow
{
    /// <summary>
    /// True for the entry (no owner) and for the bodies of control flow. The others (bodies of reductions, comparators, fusions)
    /// describe what happens inside one kernel.
    /// </summary>
    /// <param name="owner">The op that carries the computation; null for the entry.</param>
    public static bool IsExecuted(Op? owner) => owner is null or WhileOp or IfOp or CaseOp;
}
