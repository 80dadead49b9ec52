namespace Graphene.Codegen;

/// <content>Rounds of a reduction that read nothing but padding are left out where they change nothing.</content>
internal sealed partial class ExprEmitter
{
    /// <summary>
    /// The values of a counter for which bounds hold, from the first to the one behind the last; none gives an empty range.
    /// </summary>
    /// <param name="counter">The counter.</param>
    /// <param name="bounds">Bounds on places that change with this counter and with what has a value here.</param>
    public (KExpr Begin, KExpr End) EmitRange(IndexVariable counter, IEnumerable<WindowBound> bounds)
    {
        (KExpr begin, KExpr end) = (0, KBuilder.Value(counter.Extent));
        foreach (WindowBound bound in bounds)
        {
            (long slope, KExpr rest) = (bound.Index[counter].Value, EmitPosition(bound.Index, counter));
            if (slope > 0)
            {
                // 0 <= slope i + rest where i >= -rest / slope, rounded up
                KExpr first = KBuilder.CeilDiv(KBuilder.Maximum(0, KBuilder.Subtract(0, rest)), slope);
                begin = KBuilder.Maximum(begin, first);
            }
            else
            {
                // 0 <= rest - |slope| i where i <= rest / |slope|, rounded down
                KExpr behind = KBuilder.Divide(KBuilder.Maximum(0, KBuilder.Add(rest, -slope)), -slope);
                end = KBuilder.Minimum(end, behind);
            }
        }
        return (Builder.Let("begin", begin), Builder.Let("end", end));
    }

    // The rounds of a reduction in which its element is inside of what it reads, and the guard that asks for it: null when that is not
    // known for whole rounds, or when the value that stands for padding changes the result.
    private BoundedRounds? TryBound(LoopExpr loop)
    {
        // Threads of a warp do not part for it.
        if (Target is not { Gpu: null } || loop is not { Elements: [GuardExpr guard], Initial: [ConstantExpr initial] }
            || !ReferenceEquals(guard.Otherwise, initial) || ReductionFunction.Of(loop) is not { } function || !function.MayLeaveOut(initial.Value)
            || WindowBound.TryOf(guard.Condition) is not { Length: > 0 } bounds)
        {
            return null;
        }
        var ranges = new Dictionary<IndexVariable, WindowBound[]>();
        foreach (IGrouping<IndexVariable?, WindowBound> of in bounds.GroupBy(b => b.OnlyOneOf(loop.Variables)))
        {
            if (of.Key is null || of.Any(b => _vector is not null && b.Index[_vector.Variable] != 0))
            {
                return null;
            }
            ranges.Add(of.Key, [.. of]);
        }
        return new BoundedRounds(guard, ranges.ToDictionary(r => r.Key, r => EmitRange(r.Key, r.Value)));
    }

    // Once for windows that are inside, whose rounds are known, and once for those that are not.
    private void EmitBounded(BoundedRounds? bounded, Action<BoundedRounds?> rounds)
    {
        if (bounded is null)
        {
            rounds(null);
            return;
        }
        KExpr isInside = bounded.Ranges
            .SelectMany(r => new[] { Same(r.Value.Begin, 0), Same(r.Value.End, KBuilder.Value(r.Key.Extent)) })
            .Aggregate((a, b) => KBuilder.Call(ScalarOp.And, a, b));
        Builder.If(
            isInside,
            () => InScope(() => rounds(new BoundedRounds(bounded.Guard, []))),
            () => InScope(() => rounds(bounded)));

        static KExpr Same(KExpr a, KExpr b) => KBuilder.Call(ScalarOp.Equal, a, b);
    }

    private sealed record BoundedRounds(GuardExpr Guard, Dictionary<IndexVariable, (KExpr Begin, KExpr End)> Ranges)
    {
        public (KExpr Begin, KExpr End) Of(LoopGroup group) =>
            group.Members is [var only] && Ranges.TryGetValue(only, out var range) ? range : (0, KBuilder.Value(group.Extent));
    }
}
