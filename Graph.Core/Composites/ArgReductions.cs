namespace Graphene;

/// <summary>The positions of the largest and smallest elements.</summary>
public static class ArgReductionComposites
{
    /// <summary>The position of the largest element along an axis, as i64; NaN counts as the largest.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Any numeric dtype.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    /// <param name="keepDims">True to keep it with size 1.</param>
    /// <param name="lastOfEqual">True for the last of equal elements, false for the first.</param>
    public static Node ArgMax(
        this GraphBuilder b, Node x, int axis, bool keepDims = false, bool lastOfEqual = false) =>
        Extreme(b, "arg_max", x, axis, keepDims, lastOfEqual, CompareDirection.GT, Scalar.Lowest(x.DType));

    /// <summary>The position of the smallest element along an axis, as i64; NaN counts as the smallest.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Any numeric dtype.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    /// <param name="keepDims">True to keep it with size 1.</param>
    /// <param name="lastOfEqual">True for the last of equal elements, false for the first.</param>
    public static Node ArgMin(
        this GraphBuilder b, Node x, int axis, bool keepDims = false, bool lastOfEqual = false) =>
        Extreme(b, "arg_min", x, axis, keepDims, lastOfEqual, CompareDirection.LT, Scalar.Highest(x.DType));

    private static Node Extreme(
        GraphBuilder b, string name, Node x, int axis, bool keepDims, bool lastOfEqual, CompareDirection better, Scalar worst)
    {
        int along = b.Site(name, x).Axis(axis, x.Rank);
        Node index = b.Iota(new TensorType(DType.I64, x.Shape), along);

        // An element that is not there loses against every one that is: its position is -1, and positions decide ties.
        Node[] reduced = b.Results(b.Add(
            new ReduceOp([along], Body(x.DType, better, lastOfEqual)), x, index, b.Constant(worst), b.Constant(DType.I64, -1)));
        return b.KeepDims(reduced[1], x.Shape, [along], keepDims);
    }

    // Associative and commutative, as a reduction's body must be: a total order of (value, position) pairs, NaN best.
    internal static Computation Body(DType type, CompareDirection better, bool lastOfEqual)
    {
        var b = new GraphBuilder();
        Node value = b.Parameter(0, TensorType.Scalar(type));
        Node place = b.Parameter(1, TensorType.Scalar(DType.I64));
        Node nextValue = b.Parameter(2, TensorType.Scalar(type));
        Node nextPlace = b.Parameter(3, TensorType.Scalar(DType.I64));
        Node none = b.Constant(DType.I64, -1);
        Node isBetter = b.Compare(nextValue, value, better);
        Node isEqual = b.Equal(nextValue, value);
        if (type.IsFloating())
        {
            Node isNaN = b.NotEqual(value, value);
            Node nextIsNaN = b.NotEqual(nextValue, nextValue);
            isBetter = b.Or(isBetter, b.And(nextIsNaN, b.Not(isNaN)));
            isEqual = b.Or(isEqual, b.And(nextIsNaN, isNaN));
        }
        Node winsTie = b.Compare(nextPlace, place, lastOfEqual ? CompareDirection.GT : CompareDirection.LT);
        Node takeNext = b.Or(isBetter, b.And(isEqual, winsTie));
        takeNext = b.And(b.NotEqual(nextPlace, none), b.Or(b.Equal(place, none), takeNext));
        return b.Build(
            better == CompareDirection.GT ? "arg_max" : "arg_min",
            [b.Select(takeNext, nextValue, value), b.Select(takeNext, nextPlace, place)]);
    }
}
