namespace Graphene.Optimizer;

/// <summary>The parts of the decomposition of a composite that reduces all elements up to each one, along one dimension.</summary>
/// <remarks>
/// <code>
/// result = reduce_window(x, initial)     the window as long as the dimension, and moved in steps of one over the border beside it
///
/// x            a      b      c
/// inclusive    a      a+b    a+b+c            exclusive    0      a      a+b
/// reverse      c+b+a  c+b    c                both         c+b    c      0
/// </code>
/// x is a parameter, and the initial value a constant that the reduction of two of them gives again, so it does not matter
/// how much of the border is seen.
/// </remarks>
/// <param name="Window">The reduce_window.</param>
/// <param name="Function">What combines two elements: add, multiply, maximum, minimum, and, or.</param>
/// <param name="Dimension">The dimension.</param>
/// <param name="IsExclusive">Whether an element is left out of its own reduction.</param>
/// <param name="IsReverse">Whether the reduction begins with the last element.</param>
public sealed record RunningForm(Node Window, ElementwiseFn Function, int Dimension, bool IsExclusive, bool IsReverse)
{
    /// <summary>The kind of the composite.</summary>
    public const string Kind = "running_reduction";

    /// <summary>What every element is combined with first.</summary>
    public Scalar Initial => ((ConstantOp)Window.Operands[1].Op).Value[0];

    /// <summary>Finds the parts; null when the computation has not this form.</summary>
    public static RunningForm? TryParse(Computation decomposition) =>
        decomposition.Results is [{ Operands: [{ Op: ParameterOp }, ..] } result] ? TryOf(result) : null;

    /// <summary>The parts of a reduce_window, whatever its operand is.</summary>
    internal static RunningForm? TryOf(Node node)
    {
        if (node is not { Op: ReduceWindowOp op, Operands: [var x, { Op: ConstantOp { Value: var initial } }] } ||
            ReductionBody.FunctionOf(op.Body) is not { Name: "add" or "multiply" or "maximum" or "minimum" or "and" or "or" } function ||
            Evaluator.ApplyScalars(op.Body, initial[0], initial[0])[0] != initial[0])
        {
            return null;
        }
        return RunningWindow.TryFind(op, x.Shape) is { } running && !op.Window[running.Axis].Reversed && node.Shape.Equals(x.Shape)
            ? new RunningForm(node, function, running.Axis, running.IsExclusive, running.IsReverse)
            : null;
    }
}
