namespace Graphene.Codegen;

/// <summary>
/// Windows side by side over a hero's values, each of which becomes one value: of four neighbours of a convolution the largest.
/// </summary>
/// <param name="Loop">The reduction over the window; its counters say which value of a window is meant.</param>
/// <param name="Function">What combines two values. It is one whose order changes nothing.</param>
internal sealed record Pooling(LoopExpr Loop, ReductionFunction Function)
{
    /// <summary>The pooling that an element is; null when it is anything else.</summary>
    public static Pooling? Of(ScalarExpr element) =>
        element is LoopResultExpr { Loop: { Elements: [_], Initial: [_] } loop } && ReductionFunction.Of(loop) is { } function &&
        function.Op is ScalarOp.Maximum or ScalarOp.Minimum && loop.Variables.All(v => v.Extent.IsStatic)
            ? new Pooling(loop, function)
            : null;

    /// <summary>How many values a window has.</summary>
    public int Count => (int)Loop.Variables.Aggregate(1L, (count, v) => count * v.Extent.Value);

    /// <summary>The counters' values for a value of the window, in the order in which they are combined.</summary>
    public IEnumerable<long> CountersOf(int value)
    {
        long rest = value;
        long[] counters = new long[Loop.Variables.Count];
        for (int i = counters.Length - 1; i >= 0; i--)
        {
            (rest, counters[i]) = Math.DivRem(rest, Loop.Variables[i].Extent.Value);
        }
        return counters;
    }

    /// <summary>Whether the value that the reduction begins with leaves all others as they are.</summary>
    public bool BeginsWithIdentity => Loop.Initial[0] is ConstantExpr { Value: var first } && first.Equals(Function.Identity);
}
