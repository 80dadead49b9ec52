namespace Graphene.Codegen;

/// <summary>
/// Windows side by side over the positions of a convolution, each of which becomes one value: of four neighbours the largest.
/// </summary>
/// <param name="Loop">The reduction over the window; its counters say which value of a window is meant.</param>
/// <param name="Function">What combines two values. It is one whose order changes nothing.</param>
/// <param name="Window">The window along each dimension of the convolution's result.</param>
internal sealed record Pooling(LoopExpr Loop, ReductionFunction Function, ValueList<WindowDim> Window)
{
    /// <summary>The pooling that an element of a window reduction is; null when it is one of another kind.</summary>
    /// <param name="dimensions">Those of the convolution whose values it reduces.</param>
    /// <param name="op">The window reduction.</param>
    /// <param name="element">Its element.</param>
    public static Pooling? Of(ConvolutionDimensions dimensions, ReduceWindowOp op, ScalarExpr element) =>
        element is LoopResultExpr { Loop: { Elements: [_], Initial: [_] } loop } && ReductionFunction.Of(loop) is { } function &&
        function.Op is ScalarOp.Maximum or ScalarOp.Minimum && op.Window.All(w => w.IsSideBySide) &&
        op.Window[dimensions.ResultBatch].Size == 1 && op.Window[dimensions.ResultFeature].Size == 1 &&
        op.Window.Aggregate((Int128)1, (count, w) => count * w.Size.Value) is var values && (values == 2 || values == 4)
            ? new Pooling(loop, function, op.Window)
            : null;

    /// <summary>How many values a window has: two or four, which divide all tiles of rows.</summary>
    public int Count => (int)Window.Aggregate(1L, (count, w) => count * w.Size.Value);

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

    /// <summary>Combines the values of a window, and gives the result to what is stored of it in the present scope.</summary>
    /// <param name="emitter">The kernel.</param>
    /// <param name="bindValue">Gives the convolution's value, and whatever else it depends on, for a value of the window.</param>
    public void Emit(ExprEmitter emitter, Action<int> bindValue)
    {
        KExpr? pooled = BeginsWithIdentity ? null : Function.Widen(emitter.EmitLanes(Loop.Initial[0]));
        for (int value = 0; value < Count; value++)
        {
            KExpr? element = null;
            emitter.InScope(() =>
            {
                foreach ((IndexVariable counter, long at) in Loop.Variables.Zip(CountersOf(value)))
                {
                    emitter.Bind(counter, at);
                }
                bindValue(value);
                element = Function.Widen(emitter.EmitLanes(Loop.Elements![0]));
            });
            pooled = pooled is null ? element : emitter.Builder.Let("pooled", Function.Combine(pooled, element!));
        }
        emitter.BindLoop(Loop, Function.Round(pooled!));
    }

    // The value that the reduction begins with leaves all others as they are.
    private bool BeginsWithIdentity => Loop.Initial[0] is ConstantExpr { Value: var first } && first.Equals(Function.Identity);
}
