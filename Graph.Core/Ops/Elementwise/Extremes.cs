namespace Graphene;

/// <summary>The derivatives of the larger and the smaller of two values.</summary>
internal static class Extremes
{
    public const string Note =
        "a tie gives half to each operand, and all of it to a constant: the slope of max(x, 0) at 0 is 0";

    /// <summary>The partial derivatives times a value.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="y">The maximum or minimum.</param>
    /// <param name="d">What they are multiplied by.</param>
    /// <param name="wins">How an operand that is taken compares to the other one.</param>
    public static Node?[] Partials(GraphBuilder b, Node y, Node d, CompareDirection wins) =>
        [Partial(b, y, y.Operands[0], y.Operands[1], d, wins), Partial(b, y, y.Operands[1], y.Operands[0], d, wins)];

    private static Node Partial(GraphBuilder b, Node y, Node x, Node other, Node d, CompareDirection wins)
    {
        if (Cotangents.IsSplat(other, out _))
        {
            // max(x, c) > c just where x > c; and y is what the layers behind keep, so that x need not be.
            return b.Select(b.Compare(y, other, wins), d, b.Like(d, 0));
        }
        Node atTie = b.Select(b.Equal(x, other), b.Multiply(d, b.Like(d, 0.5)), b.Like(d, 0));
        return b.Select(b.Compare(x, other, wins), d, atTie);
    }
}
