using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>One thing that compiled code does.</summary>
/// <param name="Number">Its place in the sequence of all steps; live intervals count in these.</param>
public abstract record PlanStep(int Number);

/// <summary>Runs the kernel or library routine of a node.</summary>
/// <param name="Number">Its place in the sequence of all steps.</param>
/// <param name="Node">A fusion, or an op with a kernel of its own kind.</param>
/// <param name="Operands">The buffer of each operand.</param>
/// <param name="Results">The buffer of each result.</param>
/// <param name="Workspaces">The buffers of the workspaces that were asked for, see <see cref="MemoryPlanOptions.Workspaces"/>.</param>
public sealed record RunStep(
    int Number, Node Node, ImmutableArray<int> Operands, ImmutableArray<int> Results, ImmutableArray<int> Workspaces)
    : PlanStep(Number)
{
    /// <summary>
    /// The operands that are boxes of the result already, where the node puts such together (see
    /// <see cref="BoxedParts"/>): its kernels only write the others.
    /// </summary>
    public ImmutableArray<int> PartsInPlace { get; init; } = [];
}

/// <summary>Copies a whole value.</summary>
/// <param name="Number">Its place in the sequence of all steps.</param>
/// <param name="From">The buffer to read.</param>
/// <param name="To">The buffer to write.</param>
/// <param name="Type">The type of the value.</param>
public sealed record CopyStep(int Number, int From, int To, TensorType Type) : PlanStep(Number);

/// <summary>
/// Runs nothing: the result is there when its operands are, because they are parts of it, or it is a part
/// of one of them.
/// </summary>
/// <param name="Number">Its place in the sequence of all steps.</param>
/// <param name="Node">A concatenation, or slices, in a fusion of their own or in none.</param>
/// <param name="Operands">For a concatenation the part of the result that each operand is, for slices the buffer of each operand.</param>
/// <param name="Results">The buffer of each result.</param>
public sealed record PartsStep(int Number, Node Node, ImmutableArray<int> Operands, ImmutableArray<int> Results) : PlanStep(Number);

/// <summary>Runs the condition's steps, stops when its result is false, runs the body's steps, and so on.</summary>
/// <remarks>
/// Condition and body find their parameters in <paramref name="Carried"/>, and the body's last steps leave the next values there;
/// the results of the loop lie there afterwards.
/// </remarks>
/// <param name="Number">Its place in the sequence of all steps.</param>
/// <param name="Node">The while node.</param>
/// <param name="Carried">The buffer of each carried value.</param>
/// <param name="Condition">Its only result is a bool in memory.</param>
/// <param name="Body">The steps of one round.</param>
public sealed record WhileStep(
    int Number, Node Node, ImmutableArray<int> Carried, ComputationPlan Condition, ComputationPlan Body) : PlanStep(Number)
{
    /// <summary>
    /// How many of the loops that follow at once may run at the same time as this one: none of them writes memory that
    /// another reads or writes.
    /// </summary>
    public int Beside { get; init; }
}

/// <summary>Runs the steps of one of several branches, which leave their results in the buffers of the node.</summary>
/// <param name="Number">Its place in the sequence of all steps.</param>
/// <param name="Node">The if or case node.</param>
/// <param name="Selector">The buffer of the predicate (bool; true runs branch 0) or of the branch number (i32).</param>
/// <param name="Results">The buffer of each result.</param>
/// <param name="Branches">The steps of each branch, in the order of the op's computations.</param>
public sealed record BranchStep(
    int Number, Node Node, int Selector, ImmutableArray<int> Results, ImmutableArray<ComputationPlan> Branches)
    : PlanStep(Number);
