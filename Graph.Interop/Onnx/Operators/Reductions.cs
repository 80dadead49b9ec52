using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Reductions over axes, index of the extreme element, and running sums and products.</summary>
internal static class Reductions
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        Row("ReduceSum", (b, x, axes, keep) => b.ReduceSum(x, axes, keep)),
        Row("ReduceMean", (b, x, axes, keep) => b.ReduceMean(x, axes, keep)),
        Row("ReduceProd", (b, x, axes, keep) => b.ReduceProduct(x, axes, keep)),
        Row("ReduceMax", (b, x, axes, keep) => b.ReduceMax(x, axes, keep)),
        Row("ReduceMin", (b, x, axes, keep) => b.ReduceMin(x, axes, keep)),
        Row("ReduceL1", (b, x, axes, keep) =>
            x.DType.IsUnsignedInteger() ? b.ReduceSum(x, axes, keep) : b.ReduceL1(x, axes, keep)),
        Row("ReduceL2", (b, x, axes, keep) => Floating(b, x, v => b.ReduceL2(v, axes, keep))),
        Row("ReduceSumSquare", (b, x, axes, keep) => b.Wide(x, v => b.ReduceSum(b.Multiply(v, v), axes, keep))),
        Row("ReduceLogSum", (b, x, axes, keep) => Floating(b, x, v => b.Wide(v, w => b.Log(b.ReduceSum(w, axes, keep))))),
        Row("ReduceLogSumExp", (b, x, axes, keep) => Floating(b, x, v => b.ReduceLogSumExp(v, axes, keep))),
        new("", "ArgMax", 1, c => Arg(c, (b, x, axis, keep, last) => b.ArgMax(x, axis, keep, last))),
        new("", "ArgMin", 1, c => Arg(c, (b, x, axis, keep, last) => b.ArgMin(x, axis, keep, last))),
        new("", "CumSum", 11, c => Running(c, ElementwiseTable.Add, 0)),
        new("", "CumProd", 26, c => Running(c, ElementwiseTable.Multiply, 1)),
    ];

    // The axes are an attribute before version 13 or 18, then an input; none means all, or none at all when asked for.
    private static Axes AxesOf(OperatorCall c, int rank)
    {
        IReadOnlyList<long>? axes = c.Ints("axes") ?? (c.Has(1) ? c.Numbers(1, "axes") : null);
        if (axes is { Count: > 0 })
        {
            int[] normal = c.NormalAxes(axes, rank);
            Array.Sort(normal);
            return Axes.Create(normal);
        }
        return c.Int("noop_with_empty_axes", 0) != 0 ? Axes.Empty : Axes.Range(rank);
    }

    private static OperatorRow Row(string name, Func<GraphBuilder, Node, Axes, bool, Node> reduce) => new("", name, 1, c =>
    {
        Node x = c.Input(0);
        c.Output(0, reduce(c.B, x, AxesOf(c, x.Rank), c.Int("keepdims", 1) != 0));
    });

    // Roots and logarithms of integers are taken in f64 and cut.
    private static Node Floating(GraphBuilder b, Node x, Func<Node, Node> function) =>
        x.DType.IsFloating() ? function(x) : b.Convert(function(b.Convert(x, DType.F64)), x.DType);

    private static void Arg(OperatorCall c, Func<GraphBuilder, Node, int, bool, bool, Node> function)
    {
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", 0), x.Rank);
        c.Output(0, function(c.B, x, axis, c.Int("keepdims", 1) != 0, c.Int("select_last_index", 0) != 0));
    }

    // A window that reaches from the first element to the present one; one place further when the present one is excluded.
    private static void Running(OperatorCall c, ElementwiseFn fn, double start)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        long[] axes = c.Numbers(1, "axis");
        int axis = c.NormalAxis(axes.Length == 1 ? axes[0] : throw c.Bad(
            $"{c.Proto.OpType} has {axes.Length} axes", "it takes one"), x.Rank);
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
