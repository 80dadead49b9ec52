namespace Graphene;

/// <summary>Reductions beyond one elementwise function: means, variances, norms, positions of extremes.</summary>
public static class ReductionComposites
{
    /// <summary>Puts the reduced axes back with size 1 when asked to.</summary>
    public static Node KeepDims(this GraphBuilder b, Node reduced, Shape shape, Axes axes, bool keepDims) => keepDims
        ? b.Reshape(reduced, Shape.From(shape.Select((dim, axis) => axes.Contains(axis) ? 1 : dim)))
        : reduced;

    /// <summary>The number of elements along some axes as a scalar of a dtype; symbolic dims are read when the graph runs.</summary>
    public static Node CountAlong(this GraphBuilder b, Shape shape, Axes axes, DType type)
    {
        Dim count = 1;
        foreach (int axis in axes)
        {
            count *= shape[axis];
        }
        return count.IsStatic ? b.Constant(type, count.Value) : b.Convert(b.DimValue(count), type);
    }

    /// <summary>The mean along axes.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating (f16 and bf16 are summed in f32) or integer (truncating division).</param>
    /// <param name="axes">The axes; negative from the end; null for all.</param>
    /// <param name="keepDims">True to keep them with size 1.</param>
    public static Node ReduceMean(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_mean", x).AxesOrAll(axes, x.Rank);
        Node mean = b.Widened(x, wide => Mean(b, wide, over));
        return b.KeepDims(mean, x.Shape, over, keepDims);
    }

    /// <summary>The mean squared distance from the mean, in two passes: no cancellation.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating; f16 and bf16 are computed in f32.</param>
    /// <param name="axes">The axes; negative from the end; null for all.</param>
    /// <param name="keepDims">True to keep them with size 1.</param>
    /// <param name="correction">What is subtracted from the number of elements: 1 for the unbiased estimate.</param>
    public static Node ReduceVariance(
        this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false, double correction = 0)
    {
        Axes over = b.Site("reduce_variance", x).AxesOrAll(axes, x.Rank);
        Node variance = b.Widened(x, wide =>
        {
            Node centered = b.Subtract(wide, b.BroadcastBack(Mean(b, wide, over), wide.Shape, over));
            Node sum = b.ReduceSum(b.Multiply(centered, centered), over);
            Node count = b.CountAlong(wide.Shape, over, wide.DType);
            Node divisor = correction == 0 ? count : b.Subtract(count, b.Constant(wide.DType, correction));
            return b.Divide(sum, b.BroadcastTo(divisor, sum.Shape));
        });
        return b.KeepDims(variance, x.Shape, over, keepDims);
    }

    /// <summary>The square root of <see cref="ReduceVariance"/>.</summary>
    public static Node ReduceStandardDeviation(
        this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false, double correction = 0) =>
        b.Widened(x, wide => b.SquareRoot(b.ReduceVariance(wide, axes, keepDims, correction)));

    /// <summary><c>log(sum(exp(x)))</c> without overflow; an infinite maximum gives that infinity, not NaN.</summary>
    public static Node ReduceLogSumExp(
        this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_log_sum_exp", x).AxesOrAll(axes, x.Rank);
        Node result = b.Widened(x, wide =>
        {
            Node max = b.StopGradient(b.ReduceMax(wide, over)); // the result does not depend on the shift
            Node shift = b.Select(b.IsFinite(max), max, b.Like(max, 0));
            Node e = b.Exponential(b.Subtract(wide, b.BroadcastBack(shift, wide.Shape, over)));
            return b.Add(b.Log(b.ReduceSum(e, over)), shift);
        });
        return b.KeepDims(result, x.Shape, over, keepDims);
    }

    /// <summary>The sum of absolute values along axes.</summary>
    public static Node ReduceL1(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_l1", x).AxesOrAll(axes, x.Rank);
        return b.KeepDims(b.Widened(x, wide => b.ReduceSum(b.Abs(wide), over)), x.Shape, over, keepDims);
    }

    /// <summary>The Euclidean norm along axes. The squares are summed as they are: beyond 1.8e19 in f32 they overflow.</summary>
    public static Node ReduceL2(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_l2", x).AxesOrAll(axes, x.Rank);
        Node norm = b.Widened(x, wide => b.SquareRoot(b.ReduceSum(b.Multiply(wide, wide), over)));
        return b.KeepDims(norm, x.Shape, over, keepDims);
    }

    /// <summary>The sum along axes; f16 and bf16 are summed in f32.</summary>
    public static Node ReduceSum(this GraphBuilder b, Node x, IReadOnlyList<int>? axes, bool keepDims)
    {
        Axes over = b.Site("reduce_sum", x).AxesOrAll(axes, x.Rank);
        return b.KeepDims(b.Widened(x, wide => b.ReduceSum(wide, over)), x.Shape, over, keepDims);
    }

    /// <summary>The product along axes; f16 and bf16 are multiplied in f32.</summary>
    public static Node ReduceProduct(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_product", x).AxesOrAll(axes, x.Rank);
        Node product = b.Widened(
            x, wide => b.Reduce(wide, b.Constant(wide.DType, 1), over, ElementwiseTable.Multiply));
        return b.KeepDims(product, x.Shape, over, keepDims);
    }

    /// <summary>The maximum along axes; NaN when any element is; the lowest value when there is none.</summary>
    public static Node ReduceMax(this GraphBuilder b, Node x, IReadOnlyList<int>? axes, bool keepDims)
    {
        Axes over = b.Site("reduce_max", x).AxesOrAll(axes, x.Rank);
        return b.KeepDims(b.ReduceMax(x, over), x.Shape, over, keepDims);
    }

    /// <summary>The minimum along axes; NaN when any element is; the highest value when there is none.</summary>
    public static Node ReduceMin(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_min", x).AxesOrAll(axes, x.Rank);
        Node min = b.Reduce(x, b.Constant(Scalar.Highest(x.DType)), over, ElementwiseTable.Minimum);
        return b.KeepDims(min, x.Shape, over, keepDims);
    }

    /// <summary>True where all elements along axes are.</summary>
    public static Node ReduceAll(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_all", x).AxesOrAll(axes, x.Rank);
        return b.KeepDims(
            b.Reduce(x, b.Constant(Scalar.FromBool(true)), over, ElementwiseTable.And), x.Shape, over, keepDims);
    }

    /// <summary>True where any element along axes is.</summary>
    public static Node ReduceAny(this GraphBuilder b, Node x, IReadOnlyList<int>? axes = null, bool keepDims = false)
    {
        Axes over = b.Site("reduce_any", x).AxesOrAll(axes, x.Rank);
        return b.KeepDims(
            b.Reduce(x, b.Constant(Scalar.FromBool(false)), over, ElementwiseTable.Or), x.Shape, over, keepDims);
    }

    /// <summary>The mean along axes that are already in order.</summary>
    internal static Node Mean(GraphBuilder b, Node x, Axes axes)
    {
        Node sum = b.ReduceSum(x, axes);
        return b.Divide(sum, b.BroadcastTo(b.CountAlong(x.Shape, axes, x.DType), sum.Shape));
    }
}
