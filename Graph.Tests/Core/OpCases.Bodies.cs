using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core;

/// <summary>Uses of the ops that slide windows or carry computations.</summary>
internal static partial class OpCases
{
    private static IEnumerable<OpCase> Windows()
    {
        Literal x = Noise([1, 6, 5], 3);
        Literal zero = Literal.FromScalar(Scalar.Zero(DType.F32));
        ConvolutionDimensions nhwc = ConvolutionDimensions.ChannelsLast(1);
        yield return new(
            "convolution", "padded and dilated", [Noise([2, 7, 3], 4), Noise([3, 3, 4], 5)],
            (b, p) => b.Convolution(p[0], p[1], nhwc, [new WindowDim(3, Stride: 2, Low: 2, High: 1, Dilation: 2)]))
        { Tolerance = 1e-5 };
        yield return new(
            "convolution", "transposed", [Noise([2, 4, 3], 4), Noise([3, 3, 4], 5)],
            (b, p) => b.Convolution(p[0], p[1], nhwc, [new WindowDim(3, Low: 1, High: 2, BaseDilation: 3, Reversed: true)]))
        { Tolerance = 1e-5 };
        yield return new(
            "convolution", "groups", [Noise([1, 5, 4], 4), Noise([2, 2, 6], 5)],
            (b, p) => b.Convolution(p[0], p[1], nhwc, [new WindowDim(2)], featureGroups: 2))
        { Tolerance = 1e-5 };
        yield return new(
            "reduce_window", "maximum", [x, Literal.FromScalar(Scalar.Lowest(DType.F32))],
            (b, p) => b.ReduceWindow(
                p[0], p[1], [WindowDim.Identity, new(3, Stride: 2, Low: 1, High: 1), new(2, Dilation: 3)],
                ElementwiseTable.Maximum));
        yield return new(
            "reduce_window", "running sum", [Ramp([4]), zero],
            (b, p) => b.ReduceWindow(p[0], p[1], [new(4, Low: 3)], ElementwiseTable.Add));
        yield return new(
            "select_and_scatter", "windows of two", [x, Noise([1, 3, 2], 6), zero],
            (b, p) => b.SelectAndScatter(
                p[0], p[1], p[2], [WindowDim.Identity, new(2, Stride: 2), new(2, Stride: 2)],
                Body("ge", DType.F32, (c, v, w) => c.GreaterOrEqual(v, w)), ReductionBody.Of(ElementwiseTable.Add, DType.F32)));
    }

    private static IEnumerable<OpCase> Bodies()
    {
        Literal x = Noise([3, 4], 7);
        yield return new(
            "scatter", "rows added", [x, I32([2, 1], 2, 9), Noise([2, 4], 8)],
            (b, p) => b.Scatter(
                p[0], p[1], p[2], new ScatterDimensions([1], [0], [], [], [0], 1), ReductionBody.Of(ElementwiseTable.Add, DType.F32)));
        yield return new(
            "sort", "descending", [x],
            (b, p) => b.Sort([p[0]], 1, Body("gt", DType.F32, (c, v, w) => c.Greater(v, w)))[0]);
        foreach (bool isTrue in (bool[])[true, false])
        {
            yield return new(
                "if", $"{isTrue}", [Literal.FromScalar(Scalar.FromBool(isTrue)), x],
                (b, p) => b.If(p[0], [p[1]], Unary(ElementwiseTable.Negate, x.Type), Unary(ElementwiseTable.Abs, x.Type))[0]);
        }
        foreach (int number in (int[])[0, 1, -1, 5])
        {
            yield return new(
                "case", $"{number}", [Literal.FromScalar(Scalar.FromInteger(DType.I32, number)), x],
                (b, p) => b.Case(p[0], [p[1]], [Unary(ElementwiseTable.Negate, x.Type), Unary(ElementwiseTable.Abs, x.Type)])[0]);
        }
        yield return new("while", "doubling below 100", [Literal.FromScalar(Scalar.FromInteger(DType.I32, 3))], (b, p) =>
        {
            var condition = new GraphBuilder();
            Node n = condition.Parameter(0, TensorType.Scalar(DType.I32));
            Computation below = condition.Build("below", [condition.Less(n, condition.Constant(DType.I32, 100))]);
            var body = new GraphBuilder();
            Node m = body.Parameter(0, TensorType.Scalar(DType.I32));
            return b.While(p, below, body.Build("double", [body.Add(m, m)]))[0];
        });
        yield return new("fusion", "loop", [x], (b, p) =>
        {
            var body = new GraphBuilder();
            Node inner = body.Parameter(0, x.Type);
            return b.Add(new FusionOp(FusionKind.Loop, body.Build("fused", [body.Exponential(inner), body.Negate(inner)])), p);
        });
    }

    private static Computation Body(string name, DType type, Func<GraphBuilder, Node, Node, Node> build)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(type));
        Node y = b.Parameter(1, TensorType.Scalar(type));
        return b.Build(name, [build(b, x, y)]);
    }

    private static Computation Unary(ElementwiseFn fn, TensorType type)
    {
        var b = new GraphBuilder();
        return b.Build(fn.Name, [b.Elementwise(fn, b.Parameter(0, type))]);
    }
}
