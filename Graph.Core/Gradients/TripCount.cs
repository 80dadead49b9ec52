namespace Graphene;

/// <summary>How often a loop runs, when its condition compares a counter with a bound that is known while building.</summary>
/// <param name="Counter">Which carried value counts.</param>
/// <param name="Count">The number of rounds; may be symbolic.</param>
/// <param name="Start">The counter in the first round.</param>
/// <param name="Step">What each round adds to it.</param>
internal sealed record TripCount(int Counter, Dim Count, long Start, long Step)
{
    /// <summary>Finds it; null when the number of rounds is not known while building.</summary>
    public static TripCount? Of(WhileOp loop, IReadOnlyList<Node> initial)
    {
        if (loop.Condition.Results is not [{ Op: CompareOp compare, Operands: [{ Op: ParameterOp counter }, var bound] }] ||
            !counter.Type.DType.IsInteger() || Known(initial[counter.Number]) is not { IsStatic: true } start ||
            Limit(bound, initial) is not { } limit ||
            loop.Body.Results[counter.Number] is not { Op: ElementwiseOp { Fn: var fn }, Operands: [var x, var y] } ||
            fn != ElementwiseTable.Add)
        {
            return null;
        }
        Node self = loop.Body.Parameters[counter.Number];
        Node? added = ReferenceEquals(x, self) ? y : ReferenceEquals(y, self) ? x : null;
        if (added is null || Known(added) is not { IsStatic: true } step || step.Value == 0)
        {
            return null;
        }
        Dim? distance = (compare.Direction, step.Value > 0) switch
        {
            (CompareDirection.LT, true) => limit - start,
            (CompareDirection.LE, true) => limit - start + 1,
            (CompareDirection.GT, false) => start - limit,
            (CompareDirection.GE, false) => start - limit + 1,
            _ => default(Dim?),
        };
        return distance is { } d
            ? new TripCount(counter.Number, Dim.Max(Dim.CeilDiv(d, Math.Abs(step.Value)), 0), start.Value, step.Value)
            : null;
    }

    // What the counter is compared with: known itself, or carried unchanged from something known.
    private static Dim? Limit(Node bound, IReadOnlyList<Node> initial) =>
        bound.Op is ParameterOp ? null : Known(bound);

    private static Dim? Known(Node node) => node.Op switch
    {
        DimValueOp value => value.Dim,
        ConvertOp when node.DType.IsInteger() && node.Operands[0].DType == DType.I64 => Known(node.Operands[0]),
        ConstantOp { Value: { ElementCount: 1 } value } when node.Rank == 0 && value.DType.IsInteger() &&
            value[0].AsInteger is var n && n >= -int.MaxValue && n <= int.MaxValue => (long)n,
        _ => null,
    };
}
