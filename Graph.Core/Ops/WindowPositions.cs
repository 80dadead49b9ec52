namespace Graphene;

/// <summary>Which element of the operand each place of a window picks, as a row-major position; -1 when there is none.</summary>
internal static class WindowPositions
{
    /// <summary>The positions of the extremes.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">What the window slides over.</param>
    /// <param name="window">One entry per dimension.</param>
    /// <param name="better">What makes an element an extreme: GT for the largest.</param>
    /// <param name="lastOfEqual">True for the last of equal elements, false for the first.</param>
    public static Node Of(
        GraphBuilder b, Node x, ValueList<WindowDim> window, CompareDirection better, bool lastOfEqual = false)
    {
        Node flat = b.Iota(new TensorType(DType.I64, [x.Shape.ElementCount]), 0);
        Scalar worst = better == CompareDirection.GT ? Scalar.Lowest(x.DType) : Scalar.Highest(x.DType);
        Node picked = b.Add(
            new ReduceWindowOp(window, ArgReductionComposites.Body(x.DType, better, lastOfEqual)),
            x, b.Reshape(flat, x.Shape), b.Constant(worst), b.Constant(DType.I64, -1));
        return b.GetTupleElement(picked, 1);
    }

    /// <summary>The elements at positions; 0 where a position is -1.</summary>
    public static Node Take(GraphBuilder b, Node x, Node positions)
    {
        Node taken = b.Take(b.Reshape(x, [x.Shape.ElementCount]), positions, 0);
        return b.Masked(b.GreaterOrEqual(positions, b.Like(positions, 0)), taken);
    }

    /// <summary>The transpose of <see cref="Take"/>: adds values into zeros at positions.</summary>
    public static Node Put(GraphBuilder b, Node values, Node positions, Shape shape)
    {
        var dimensions = new ScatterDimensions([], [0], [], [], [0], positions.Rank);
        Node zeros = b.Splat(values.DType, [shape.ElementCount], 0);
        Node sums = b.Scatter(zeros, positions, values, dimensions, ReductionBody.Of(ElementwiseTable.Add, values.DType));
        return b.Reshape(sums, shape);
    }
}
