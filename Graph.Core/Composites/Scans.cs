namespace Graphene;

/// <summary>Running sums and products in log2(n) steps over the whole tensor (Hillis and Steele, 1986), not n^2 work.</summary>
public static class ScanComposites
{
    /// <summary>Running sums along an axis.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Any numeric dtype; f16 and bf16 are summed in f32.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    /// <param name="exclusive">True when an element is not part of its own sum.</param>
    /// <param name="reverse">True to sum from the end.</param>
    public static Node CumSum(this GraphBuilder b, Node x, int axis, bool exclusive = false, bool reverse = false) =>
        Scan(b, "cumsum", x, axis, exclusive, reverse, ElementwiseTable.Add, Scalar.Zero);

    /// <summary>Running products along an axis; see <see cref="CumSum"/>.</summary>
    public static Node CumProd(this GraphBuilder b, Node x, int axis, bool exclusive = false, bool reverse = false) =>
        Scan(b, "cumprod", x, axis, exclusive, reverse, ElementwiseTable.Multiply, Scalar.One);

    /// <summary>Running maxima along an axis; see <see cref="CumSum"/>.</summary>
    public static Node CumMax(this GraphBuilder b, Node x, int axis, bool exclusive = false, bool reverse = false) =>
        Scan(b, "cummax", x, axis, exclusive, reverse, ElementwiseTable.Maximum, Scalar.Lowest);

    /// <summary>Running minima along an axis; see <see cref="CumSum"/>.</summary>
    public static Node CumMin(this GraphBuilder b, Node x, int axis, bool exclusive = false, bool reverse = false) =>
        Scan(b, "cummin", x, axis, exclusive, reverse, ElementwiseTable.Minimum, Scalar.Highest);

    private static Node Scan(
        GraphBuilder b, string name, Node x, int axis, bool exclusive, bool reverse, ElementwiseFn fn, Func<DType, Scalar> neutral)
    {
        int along = b.Site(name, x).Axis(axis, x.Rank);
        return b.Widened(x, wide =>
        {
            Scalar identity = neutral(wide.DType);
            Node start = exclusive ? Shift(b, wide, along, 1, reverse, identity) : wide;
            return x.Shape[along].IsStatic
                ? Unrolled(b, start, along, reverse, fn, identity)
                : Doubling(b, start, along, reverse, fn, identity);
        });
    }

    // After the step of distance d every element holds the result of the 2d elements up to it.
    private static Node Unrolled(GraphBuilder b, Node x, int axis, bool reverse, ElementwiseFn fn, Scalar identity)
    {
        for (long distance = 1; distance < x.Shape[axis].Value; distance *= 2)
        {
            Node shifted = Shift(b, x, axis, distance, reverse, identity);
            x = reverse ? b.Elementwise(fn, x, shifted) : b.Elementwise(fn, shifted, x);
        }
        return x;
    }

    // The same for a length that is only known when the graph runs.
    private static Node Doubling(GraphBuilder b, Node x, int axis, bool reverse, ElementwiseFn fn, Scalar identity)
    {
        Dim length = x.Shape[axis];
        return b.While(
            [b.Constant(DType.I64, 1), x],
            (inner, p) => inner.Less(p[0], inner.DimValue(length)),
            (inner, p) =>
            {
                Dim[] low = new Dim[x.Rank];
                Dim[] high = new Dim[x.Rank];
                (reverse ? high : low)[axis] = length;
                Node padded = inner.Pad(p[1], inner.Constant(identity), [.. low], [.. high]);
                var starts = new Node[x.Rank];
                Array.Fill(starts, inner.Constant(DType.I64, 0));
                starts[axis] = reverse ? p[0] : inner.Subtract(inner.DimValue(length), p[0]);
                Node shifted = inner.DynamicSlice(padded, starts, [.. x.Shape]);
                Node next = reverse ? inner.Elementwise(fn, p[1], shifted) : inner.Elementwise(fn, shifted, p[1]);
                return [inner.Add(p[0], p[0]), next];
            })[1];
    }

    // Moves elements away from the start (towards it when reversed); what comes in is neutral.
    private static Node Shift(GraphBuilder b, Node x, int axis, Dim distance, bool reverse, Scalar identity)
    {
        Dim[] low = new Dim[x.Rank];
        Dim[] high = new Dim[x.Rank];
        low[axis] = reverse ? 0 - distance : distance;
        high[axis] = 0 - low[axis];
        return b.Pad(x, b.Constant(identity), [.. low], [.. high]);
    }
}
