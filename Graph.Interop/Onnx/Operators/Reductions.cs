using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Reductions over axes, index of the extreme element, and running sums and products.</summary>
internal static class Reductions
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        Row("ReduceSum", (b, x, axes) => b.ReduceSum(x, axes)),
        Row("ReduceMean", Mean),
        Row("ReduceProd", (b, x, axes) => b.Reduce(x, b.Constant(x.DType, 1), axes, ElementwiseTable.Multiply)),
        Row("ReduceMax", (b, x, axes) => b.ReduceMax(x, axes), wide: false),
        Row("ReduceMin", (b, x, axes) =>
            b.Reduce(x, b.Constant(Scalar.Highest(x.DType)), axes, ElementwiseTable.Minimum), wide: false),
        Row("ReduceSumSquare", (b, x, axes) => b.ReduceSum(b.Multiply(x, x), axes)),
        Row("ReduceL1", (b, x, axes) => b.ReduceSum(x.DType.IsUnsignedInteger() ? x : b.Abs(x), axes)),
        Row("ReduceL2", (b, x, axes) => RootOfSum(b, x, axes)),
        Row("ReduceLogSum", (b, x, axes) => Floating(b, b.ReduceSum(x, axes), b.Log)),
        Row("ReduceLogSumExp", LogSumExp),
        new("", "ArgMax", 1, c => ArgExtreme(c, CompareDirection.GT)),
        new("", "ArgMin", 1, c => ArgExtreme(c, CompareDirection.LT)),
        new("", "CumSum", 11, c => Running(c, ElementwiseTable.Add, 0)),
        new("", "CumProd", 26, c => Running(c, ElementwiseTable.Multiply, 1)),
    ];

    /// <summary>The mean over axes; integers divide towards zero.</summary>
    public static Node Mean(GraphBuilder b, Node x, Axes axes)
    {
        Node sum = b.ReduceSum(x, axes);
        Dim count = 1;
        foreach (int axis in axes)
        {
            count *= x.Shape[axis];
        }
        return b.Divide(sum, DimNodes.Splat(b, count, sum.DType, sum.Shape));
    }

    /// <summary>The axes of a reduction: an attribute before version 13 or 18, then an input; none means all.</summary>
    /// <returns>The axes, or null when the operator is asked to do nothing.</returns>
    public static Axes? AxesOf(OperatorCall c, int rank)
    {
        IReadOnlyList<long>? axes = c.Ints("axes") ?? (c.Has(1) ? c.Numbers(1, "axes") : null);
        if (axes is null or { Count: 0 })
        {
            return c.Int("noop_with_empty_axes", 0) != 0 ? null : Axes.Range(rank);
        }
        int[] normal = c.NormalAxes(axes, rank);
        Array.Sort(normal);
        return Axes.Create(normal);
    }

    /// <summary>Puts reduced axes back with size 1.</summary>
    public static Node KeepAxes(GraphBuilder b, Node reduced, Shape before, Axes axes) =>
        b.Reshape(reduced, Shape.From(before.Select((dim, axis) => axes.Contains(axis) ? 1 : dim)));

    // f16 and bf16 are summed in f32 and rounded once.
    private static OperatorRow Row(string name, Func<GraphBuilder, Node, Axes, Node> reduce, bool wide = true) =>
        new("", name, 1, c =>
        {
            GraphBuilder b = c.B;
            Node x = c.Input(0);
            // Asked to reduce nothing, the operator still squares, takes magnitudes and so on: it reduces over no axes.
            Axes axes = AxesOf(c, x.Rank) ?? Axes.Empty;
            Node reduced = wide ? b.Wide(x, v => reduce(b, v, axes)) : reduce(b, x, axes);
            c.Output(0, c.Int("keepdims", 1) != 0 ? KeepAxes(b, reduced, x.Shape, axes) : reduced);
        });

    private static Node RootOfSum(GraphBuilder b, Node x, Axes axes) =>
        Floating(b, b.ReduceSum(b.Multiply(x, x), axes), b.SquareRoot);

    private static Node Floating(GraphBuilder b, Node x, Func<Node, Node> function) =>
        x.DType.IsFloating() ? function(x) : b.Convert(function(b.Convert(x, DType.F64)), x.DType);

    // With m the largest element: m + log(sum of e^(x - m)). An infinite m would give inf - inf.
    private static Node LogSumExp(GraphBuilder b, Node x, Axes axes)
    {
        if (!x.DType.IsFloating())
        {
            return b.Convert(LogSumExp(b, b.Convert(x, DType.F64), axes), x.DType);
        }
        Node largest = b.ReduceMax(x, axes);
        Node shift = b.Select(b.IsFinite(largest), largest, b.Like(largest, 0));
        Node wide = b.BroadcastInDim(shift, x.Shape, axes.Complement(x.Rank));
        return b.Add(shift, b.Log(b.ReduceSum(b.Exponential(b.Subtract(x, wide)), axes)));
    }

    /// <summary>The index of the first largest element along an axis, which vanishes.</summary>
    public static Node ArgMax(GraphBuilder b, Node x, int axis) => ArgExtreme(b, x, axis, CompareDirection.GT, last: false);

    private static Node ArgExtreme(GraphBuilder b, Node x, int axis, CompareDirection better, bool last)
    {
        Node index = b.Iota(new TensorType(DType.I64, x.Shape), axis);
        Scalar worst = better == CompareDirection.GT ? Scalar.Lowest(x.DType) : Scalar.Highest(x.DType);
        Scalar start = Scalar.FromInteger(DType.I64, last ? -1 : long.MaxValue);
        return b.Reduce([x, index], [b.Constant(worst), b.Constant(start)], [axis], ArgBody(x.DType, better, last))[1];
    }

    private static void ArgExtreme(OperatorCall c, CompareDirection better)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", 0), x.Rank);
        Node result = ArgExtreme(b, x, axis, better, c.Int("select_last_index", 0) != 0);
        c.Output(0, c.Int("keepdims", 1) != 0 ? KeepAxes(b, result, x.Shape, [axis]) : result);
    }

    /// <summary>
    /// Takes the better of two (value, index) pairs; of equal values the first or last index, whatever the grouping. NaN is best.
    /// </summary>
    public static Computation ArgBody(DType type, CompareDirection better, bool last)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(type));
        Node i = b.Parameter(1, TensorType.Scalar(DType.I64));
        Node y = b.Parameter(2, TensorType.Scalar(type));
        Node j = b.Parameter(3, TensorType.Scalar(DType.I64));
        Node earlier = b.Compare(i, j, last ? CompareDirection.GT : CompareDirection.LT);
        Node wins = b.Compare(x, y, better);
        Node ties = b.Compare(x, y, CompareDirection.EQ);
        if (type.IsFloating())
        {
            Node xIsNaN = b.Compare(x, x, CompareDirection.NE);
            Node yIsNaN = b.Compare(y, y, CompareDirection.NE);
            wins = b.Or(wins, b.And(xIsNaN, b.Not(yIsNaN)));
            ties = b.Or(ties, b.And(xIsNaN, yIsNaN));
        }
        Node keep = b.Or(wins, b.And(ties, earlier));
        return b.Build("arg", [b.Select(keep, x, y), b.Select(keep, i, j)]);
    }

    // A window that reaches from the first element to the present one; one place further when the present one is excluded.
    private static void Running(OperatorCall c, ElementwiseFn fn, double start)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        DimTensor axes = c.Dims(1, "axis");
        int axis = c.NormalAxis(axes.Elements.Length == 1 && axes.IsStatic ? axes.Elements[0].Value : throw c.Bad(
            $"{c.Proto.OpType} has {axes.Elements.Length} axes", "it takes one"), x.Rank);
        bool exclusive = c.Int("exclusive", 0) != 0;
        bool reverse = c.Int("reverse", 0) != 0;
        Dim extent = x.Shape[axis];
        Dim before = exclusive ? extent : extent - 1;
        Dim after = exclusive ? -1 : 0;
        WindowDim[] window = [.. Enumerable.Repeat(WindowDim.Identity, x.Rank)];
        window[axis] = reverse
            ? new WindowDim(extent, Low: after, High: before)
            : new WindowDim(extent, Low: before, High: after);
        c.Output(0, b.Wide(x, v => b.ReduceWindow(v, b.Constant(v.DType, start), window, fn)));
    }
}
