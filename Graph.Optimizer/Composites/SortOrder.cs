namespace Graphene.Optimizer;

/// <summary>The order in which a sort puts the elements of one of its operands, when that is all its comparator looks at.</summary>
/// <remarks>
/// Where NaN stands: behind every number in ascending order, before them in descending order. Comparators that only ask for less have
/// no place for NaN (a sort then gives some permutation), so this order is as good as any.
/// </remarks>
/// <param name="Key">The operand.</param>
/// <param name="Descending">Whether the largest stand first.</param>
public sealed record SortOrder(int Key, bool Descending)
{
    /// <summary>The order of a comparator, or null when it is none of numbers.</summary>
    public static SortOrder? TryOf(Computation comparator)
    {
        if (comparator.Results is not [var before])
        {
            return null;
        }
        // small < large
        if (Strict(before) is { } strict)
        {
            return Of(strict.Small, strict.Large);
        }
        // small < large or large is NaN and small is none
        return before is { Op: ElementwiseOp { Fn.Name: "or" }, Operands: [var less, var isNaNLast] } && Strict(less) is var (small, large) &&
            isNaNLast is { Op: ElementwiseOp { Fn.Name: "and" }, Operands: [var isNaN, var isNumber] } &&
            IsCompared(isNaN, CompareDirection.NE, large) && IsCompared(isNumber, CompareDirection.EQ, small)
            ? Of(small, large)
            : null;
    }

    // Parameters 2 i and 2 i + 1 are the left and the right element of operand i.
    private static SortOrder? Of(Node small, Node large) =>
        (small.Op, large.Op) is (ParameterOp s, ParameterOp l) && s.Number / 2 == l.Number / 2 && s.Number != l.Number &&
        small.DType != DType.Bool && !small.DType.IsComplex()
            ? new SortOrder(s.Number / 2, s.Number > l.Number)
            : null;

    private static (Node Small, Node Large)? Strict(Node node) => node switch
    {
        { Op: CompareOp { Direction: CompareDirection.LT, TotalOrder: false }, Operands: [var x, var y] } => (x, y),
        { Op: CompareOp { Direction: CompareDirection.GT, TotalOrder: false }, Operands: [var x, var y] } => (y, x),
        _ => null,
    };

    private static bool IsCompared(Node node, CompareDirection direction, Node with) =>
        node is { Op: CompareOp { TotalOrder: false } op, Operands: [var x, var y] } && op.Direction == direction &&
        ReferenceEquals(x, with) && ReferenceEquals(y, with);
}
