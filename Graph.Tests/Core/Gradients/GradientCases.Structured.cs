using static Graphene.Tests.Core.Gradients.GradientCase;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <content>Products, windows, reductions, and ops that carry computations.</content>
internal static partial class GradientCases
{
    private static IEnumerable<GradientCase> Products()
    {
        yield return One("dot_general", "matrices", [X(1, 3, 4), X(2, 4, 2)], (b, p) => b.Dot(p[0], p[1])) with { Orders = 3 };
        yield return One(
            "dot_general", "batch, two contracted in another order", [X(1, 3, 2, 4, 2), X(2, 2, 4, 3, 2)],
            (b, p) => b.DotGeneral(p[0], p[1], [1], [0], [2, 0], [1, 2]));
        yield return One(
            "dot_general", "nothing contracted", [X(1, 2), X(2, 3)], (b, p) => Cube(b, b.DotGeneral(p[0], p[1], [], [], [], [])));
        yield return One("dot_general", "with itself", [X(1, 3, 3)], (b, p) => b.Dot(p[0], b.Dot(p[0], p[0]))) with { Orders = 3 };

        ConvolutionDimensions last = ConvolutionDimensions.ChannelsLast(1);
        ConvolutionDimensions first = ConvolutionDimensions.ChannelsFirst(2);
        var shuffled = new ConvolutionDimensions(2, 0, [1], 1, 2, [0], 1, 2, [0]);
        (string, ConvolutionDimensions, long[], long[], WindowDim[], long, long)[] convolutions =
        [
            ("plain", last, [2, 5, 2], [3, 2, 2], [new(3)], 1, 1),
            ("strides and padding", last, [1, 6, 2], [3, 2, 2], [new(3, Stride: 2, Low: 1, High: 2)], 1, 1),
            ("strides that leave elements over", last, [1, 6, 1], [2, 1, 2], [new(2, Stride: 3)], 1, 1),
            ("dilated", last, [1, 7, 1], [3, 1, 2], [new(3, Low: 2, High: 1, Dilation: 2)], 1, 1),
            ("transposed", last, [1, 3, 2], [3, 2, 1], [new(3, Low: 1, High: 2, BaseDilation: 3, Reversed: true)], 1, 1),
            ("everything", last, [1, 4, 1], [2, 1, 2], [new(2, Stride: 2, Low: 2, High: 1, BaseDilation: 2, Dilation: 3)], 1, 1),
            ("cut off", last, [1, 6, 1], [2, 1, 1], [new(2, Low: -1, High: -2)], 1, 1),
            ("groups", last, [1, 4, 4], [2, 2, 6], [new(2)], 2, 1),
            ("depthwise", last, [1, 4, 3], [2, 1, 6], [new(2, Stride: 2)], 3, 1),
            ("batch groups", last, [4, 4, 2], [2, 2, 4], [new(2, Low: 1)], 1, 2),
            ("dimensions in any order", shuffled, [2, 4, 2], [2, 2, 2], [new(2)], 1, 1),
            ("image", first, [1, 2, 3, 4], [2, 2, 2, 3], [new(2, Low: 1), new(3, Stride: 2, High: 1)], 1, 1),
        ];
        foreach ((string name, ConvolutionDimensions dimensions, long[] x, long[] kernel, WindowDim[] window, long groups, long batches)
            in convolutions)
        {
            yield return One(
                "convolution", name, [X(1, x), X(2, kernel)],
                (b, p) => b.Convolution(p[0], p[1], dimensions, window, groups, batches));
        }
    }

    private static IEnumerable<GradientCase> Windows()
    {
        Literal zero = X(9);
        yield return One(
            "reduce_window", "sum", [X(1, 5, 4), zero],
            (b, p) => Cube(b, b.ReduceWindow(p[0], p[1], [new(3, Stride: 2, Low: 1, High: 1), new(2)], ElementwiseTable.Add)));
        yield return One(
            "reduce_window", "sum, dilated twice", [X(1, 5), zero],
            (b, p) => Cube(b, b.ReduceWindow(
                p[0], p[1], [new(2, Stride: 2, Low: 2, High: 1, BaseDilation: 2, Dilation: 3)], ElementwiseTable.Add)));
        Scalar lowest = Scalar.Lowest(DType.F64);
        yield return One(
            "reduce_window", "maximum", [X(1, 1, 6, 5)],
            (b, p) => Cube(b, b.ReduceWindow(
                p[0], b.Constant(lowest), [WindowDim.Identity, new(3, Stride: 2, Low: 1, High: 1), new(2)], ElementwiseTable.Maximum)));
        yield return One(
            "reduce_window", "maximum, dilated", [X(1, 8)],
            (b, p) => Cube(b, b.ReduceWindow(p[0], b.Constant(lowest), [new(3, Low: 1, Dilation: 2)], ElementwiseTable.Maximum)));
        yield return One(
            "reduce_window", "minimum", [X(1, 6)],
            (b, p) => Cube(b, b.ReduceWindow(
                p[0], b.Constant(Scalar.Highest(DType.F64)), [new(2, Stride: 2)], ElementwiseTable.Minimum)));
        yield return One(
            "select_and_scatter", "overlapping", [X(1, 6), X(2, 5), X(3)],
            (b, p) => Cube(b, b.SelectAndScatter(
                p[0], p[1], p[2], [new(2)],
                b.Nested("keep", [p[2], p[2]], (c, q) => [c.GreaterOrEqual(q[0], q[1])]),
                ReductionBody.Of(ElementwiseTable.Add, DType.F64))));
    }

    private static IEnumerable<GradientCase> Reductions()
    {
        Literal x = X(1, 2, 3, 2);
        foreach ((string name, ElementwiseFn fn) in new[]
        {
            ("sum", ElementwiseTable.Add), ("product", ElementwiseTable.Multiply), ("maximum", ElementwiseTable.Maximum),
            ("minimum", ElementwiseTable.Minimum),
        })
        {
            yield return One("reduce", name, [x, X(2)], (b, p) => Cube(b, b.Reduce(p[0], p[1], [0, 2], fn)))
                with { Orders = fn == ElementwiseTable.Multiply ? 3 : 2 };
        }
        yield return One(
            "reduce", "product with a zero", [Literal.From<double>([2, 0, 3, 0, 0, 4], 2, 3)],
            (b, p) => b.ReduceProduct(p[0], [1]));
        yield return One("reduce", "maximum of everything", [x], (b, p) => Cube(b, b.ReduceMax(p[0], [0, 1, 2])));
        yield return new("reduce", "largest and its position", [X(3, 3, 4)], (b, p) =>
        {
            Node position = b.ArgMax(p[0], 1);
            return [Cube(b, b.GetTupleElement(position.Operands[0], 0)), position];
        });
    }

    private static IEnumerable<GradientCase> Bodies()
    {
        foreach (bool isTrue in (bool[])[true, false])
        {
            yield return new("if", $"{isTrue}", [Literal.FromScalar(Scalar.FromBool(isTrue)), X(1, 3), X(2, 3)], (b, p) => b.If(
                p[0], p[1..],
                b.Nested("true", p[1..], (c, q) => [c.Multiply(q[0], c.Sine(q[1])), q[0]]),
                b.Nested("false", p[1..], (c, q) => [c.Exponential(q[0]), c.Like(q[0], 1)])));
        }
        yield return new("case", "second", [I32([], 1), X(1, 3)], (b, p) => b.Case(
            p[0], p[1..],
            [b.Nested("a", p[1..], (c, q) => [c.Sine(q[0])]), b.Nested("b", p[1..], (c, q) => [Cube(c, q[0])])]));
        yield return new("composite", "product", [X(1, 3), X(2, 3)], (b, p) => b.Composite(
            "product", b.Nested("product", p, (c, q) => [c.Multiply(q[0], c.Sine(q[1]))]), p)) { Orders = 3 };
        yield return new("composite", "checkpoint", [X(1, 3), X(2, 3)], (b, p) => b.Composite(
            CompositeOp.Checkpoint, b.Nested("again", p, (c, q) => [c.Sine(c.Multiply(q[0], q[1])), q[0]]), p)) { Orders = 3 };
        yield return new("fusion", "loop", [X(1, 3)], (b, p) => b.Results(b.Add(
            new FusionOp(FusionKind.Loop, b.Nested("f", p, (c, q) => [c.Exponential(q[0]), Cube(c, q[0])])), p)));
        foreach (GradientCase c in Loops())
        {
            yield return c;
        }
    }

    private static IEnumerable<GradientCase> Loops()
    {
        yield return new("while", "known rounds", [X(1, 2), X(2, 2)], (b, p) => b.Repeat(
            5, [p[0]], [p[1]], (c, _, q, w) => [c.Sine(c.Multiply(q[0], w[0]))])) { Orders = 3 };
        yield return new("while", "no rounds", [X(1, 2), X(2, 2)], (b, p) => b.Repeat(
            0, [p[0]], [p[1]], (c, _, q, w) => [c.Multiply(q[0], w[0])]));
        yield return new("while", "rows in, rows out", [X(1, 3, 2), X(2, 2)], (b, p) => b.Repeat(
            3, [p[1], b.Like(p[0], 0)], [p[0]], (c, round, q, w) =>
            {
                Node zero = c.Constant(DType.I64, 0);
                Node row = c.Reshape(c.DynamicSlice(w[0], [round, zero], [1, 2]), Shape.Of(2));
                Node state = c.HyperbolicTangent(c.Add(c.Multiply(q[0], row), q[0]));
                return [state, c.DynamicUpdateSlice(q[1], c.Reshape(state, Shape.Of(1, 2)), [round, zero])];
            }));
        yield return new("while", "a counter that falls in steps", [X(1, 2)], (b, p) => b.While(
            [b.Constant(DType.I32, 9), p[0]],
            (c, q) => c.GreaterOrEqual(q[0], c.Constant(DType.I32, 2)),
            (c, q) => [c.Add(q[0], c.Constant(DType.I32, -3)), c.Multiply(q[1], c.Sine(q[1]))])[1..]);
        foreach (int rounds in (int[])[0, 1, 7, 30, 100])
        {
            yield return new(
                "while", $"{rounds} rounds, as data say", [X(1), Literal.FromScalar(Scalar.FromInteger(DType.I32, rounds))],
                (b, p) => b.While(
                    [b.Constant(DType.I32, 0), p[0], p[1]],
                    (c, q) => c.Less(q[0], q[2]),
                    (c, q) => [c.Add(q[0], c.Constant(DType.I32, 1)), c.Sine(c.Multiply(q[1], c.Like(q[1], 1.2))), q[2]])[1..2])
            { Orders = rounds > 10 ? 1 : 2 };
        }
        yield return new("while", "until it is small", [X(3, 2)], (b, p) => b.While(
            [p[0]],
            (c, q) => c.Greater(c.ReduceSum(c.Multiply(q[0], q[0]), [0]), c.Constant(DType.F64, 0.01)),
            (c, q) => [c.Multiply(c.Like(q[0], 0.7), c.Sine(q[0]))])) { Orders = 3 };
        yield return new("while", "loop in a loop", [X(1, 2), I64([], 3)], (b, p) => b.While(
            [b.Constant(DType.I64, 0), p[0], p[1]],
            (c, q) => c.Less(q[0], q[2]),
            (c, q) =>
            {
                Node inner = c.Repeat(2, [q[1]], [], (d, _, r, _) => [d.Sine(d.Multiply(r[0], r[0]))])[0];
                return [c.Add(q[0], c.Constant(DType.I64, 1)), c.Add(inner, q[1]), q[2]];
            })[1..2]);
    }
}
