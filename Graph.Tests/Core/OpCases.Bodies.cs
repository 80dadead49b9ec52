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
        foreach (OpCase c in ImageConvolutions())
        {
            yield return c;
        }
        yield return new(
            "reduce_window", "maximum", [x, Literal.FromScalar(Scalar.Lowest(DType.F32))],
            (b, p) => b.ReduceWindow(
                p[0], p[1], [WindowDim.Identity, new(3, Stride: 2, Low: 1, High: 1), new(2, Dilation: 3)],
                ElementwiseTable.Maximum));
        yield return new(
            "reduce_window", "running sum", [Ramp([4]), zero],
            (b, p) => b.ReduceWindow(p[0], p[1], [new(4, Low: 3)], ElementwiseTable.Add));
        yield return new(
            "select_and_scatter", "overlapping windows", [x, Noise([1, 5, 2], 6), zero],
            (b, p) => b.SelectAndScatter(
                p[0], p[1], p[2], [WindowDim.Identity, new(2), new(3, Stride: 2, Low: 1)],
                Body("ge", DType.F32, (c, v, w) => c.GreaterOrEqual(v, w)), ReductionBody.Of(ElementwiseTable.Add, DType.F32)));
        yield return new(
            "select_and_scatter", "windows of two", [x, Noise([1, 3, 2], 6), zero],
            (b, p) => b.SelectAndScatter(
                p[0], p[1], p[2], [WindowDim.Identity, new(2, Stride: 2), new(2, Stride: 2)],
                Body("ge", DType.F32, (c, v, w) => c.GreaterOrEqual(v, w)), ReductionBody.Of(ElementwiseTable.Add, DType.F32)));
    }

    // One case per schedule and border: tiles of positions that cross rows, groups, strides, dilation, lanes that are not all used.
    private static IEnumerable<OpCase> ImageConvolutions()
    {
        ConvolutionDimensions first = ConvolutionDimensions.ChannelsFirst(2);
        ConvolutionDimensions last = ConvolutionDimensions.ChannelsLast(2);
        WindowDim[] plain = [new WindowDim(3), new WindowDim(2)];
        WindowDim[] padded = [new WindowDim(3, Stride: 2, Low: 1, High: 1), new WindowDim(2, Low: 1, High: 2, Dilation: 2)];
        (string, ConvolutionDimensions, long[], long[], WindowDim[], long)[] cases =
        [
            ("features last", last, [2, 7, 5, 3], [3, 2, 3, 20], plain, 1),
            ("features last, padded", last, [2, 7, 9, 3], [3, 2, 3, 24], padded, 1),
            ("features last, cut off", last, [1, 7, 9, 3], [3, 2, 3, 8], [new(3, Low: -1), new(2, High: -2)], 1),
            ("features last, groups", last, [1, 6, 7, 6], [3, 2, 2, 27], padded, 3),
            ("features first", first, [2, 3, 7, 5], [20, 3, 3, 2], padded, 1),
            ("features first, few", first, [2, 3, 7, 9], [3, 3, 3, 2], padded, 1),
            ("depthwise", last, [2, 7, 12, 11], [3, 2, 1, 11], plain, 11),
            ("depthwise, padded", last, [2, 7, 16, 19], [3, 2, 1, 19], padded, 19),
            ("depthwise, features first", first, [1, 16, 6, 13], [16, 1, 3, 2], padded, 16),
            ("depthwise, window over everything", last, [1, 3, 2, 8], [3, 2, 1, 8], [new(3, Low: 2, High: 2), new(2, Low: 1, High: 1)], 8),
            ("depthwise, twice the features", last, [1, 5, 7, 4], [3, 2, 1, 8], padded, 4),
            ("larger than the image", last, [1, 2, 1, 3], [3, 2, 3, 8], plain, 1),
        ];
        foreach ((string name, ConvolutionDimensions dimensions, long[] input, long[] kernel, WindowDim[] window, long groups) in cases)
        {
            yield return new(
                "convolution", name, [Noise(input, 4), Noise(kernel, 5)],
                (b, p) => b.Convolution(p[0], p[1], dimensions, window, groups))
            { Tolerance = 1e-4 };
            yield return new(
                "convolution", name + ", constant weights", [Noise(input, 4)],
                (b, p) => b.Convolution(p[0], b.Constant(Noise(kernel, 5)), dimensions, window, groups))
            { Tolerance = 1e-4 };
        }
        ConvolutionDimensions volume = ConvolutionDimensions.ChannelsFirst(3);
        yield return new(
            "convolution", "volume", [Noise([1, 2, 4, 5, 6], 4)],
            (b, p) => b.Convolution(
                p[0], b.Constant(Noise([9, 2, 2, 3, 2], 5)), volume, [new(2, Low: 1), new(3, Stride: 2), new(2, High: 1)]))
        { Tolerance = 1e-4 };
        yield return new(
            "convolution", "depthwise volume", [Noise([1, 8, 4, 5, 9], 4)],
            (b, p) => b.Convolution(
                p[0], b.Constant(Noise([8, 1, 2, 3, 2], 5)), volume, [new(2, Low: 1), new(3, Stride: 2), new(2, High: 1)], 8))
        { Tolerance = 1e-4 };
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
        yield return new("composite", "square", [x], (b, p) =>
        {
            var body = new GraphBuilder();
            Node inner = body.Parameter(0, x.Type);
            return b.Composite("square", body.Build("square", [body.Multiply(inner, inner)]), p)[0];
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
