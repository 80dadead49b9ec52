using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Core.Gradients;

/// <summary>A gradient over symbolic sizes, made once, is the gradient for each size.</summary>
internal sealed class SymbolicGradientTests
{
    private static readonly DimSymbol N = new("n", 1, 64);
    private static readonly DimSymbol M = new("m", 4, 64);

    private static IEnumerable<TestCaseData> Graphs()
    {
        yield return Case("broadcast and sum", [N, M], (b, x) => b.Multiply(x, b.BroadcastInDim(b.ReduceSum(x, [0]), x.Shape, [1])));
        yield return Case("softmax", [N, M], (b, x) => b.Softmax(x));
        yield return Case("mean and variance", [N, M], (b, x) => b.ReduceVariance(x, [1]));
        yield return Case("maximum", [N, M], (b, x) => b.ReduceMax(x, [0]));
        yield return Case("product", [M], (b, x) => b.ReduceProduct(x));
        yield return Case("reshape", [N, M], (b, x) => b.HyperbolicTangent(b.Reshape(x, [(Dim)N * M])));
        yield return Case("slice", [M, 2], (b, x) => b.HyperbolicTangent(b.Slice(x, [1, 0], [(Dim)M - 1, 2], [2, 1])));
        yield return Case("pad", [N], (b, x) => b.HyperbolicTangent(b.Pad(x, b.Constant(DType.F64, 1), [2], [(Dim)N - 1], [1])));
        yield return Case("concatenate", [N, M], (b, x) => b.HyperbolicTangent(b.Concatenate([x, b.HyperbolicTangent(x)], 0)));
        yield return Case("take", [M], (b, x) => b.HyperbolicTangent(b.Take(x, b.Constant(I32([3], 2, 0, 2)), 0)));
        yield return Case("sorted", [N, M], (b, x) => b.HyperbolicTangent(b.SortValues(x)));
        yield return Case("products", [N, M], (b, x) => b.DotGeneral(x, x, [], [], [0], [0]));
        yield return Case("convolution", [N, M, 2], (b, x) => b.HyperbolicTangent(b.Convolution(
            x, b.Constant(Noise([3, 2, 2], 5, DType.F64)), ConvolutionDimensions.ChannelsLast(1),
            [new WindowDim(3, Stride: 2, Low: 1, High: 1)])));
        yield return Case("window sums", [M], (b, x) => b.HyperbolicTangent(
            b.ReduceWindow(x, b.Constant(DType.F64, 0), [new WindowDim(3, Stride: 2)], ElementwiseTable.Add)));
        yield return Case("window maxima", [M], (b, x) => b.HyperbolicTangent(
            b.ReduceWindow(x, b.Constant(Scalar.Lowest(DType.F64)), [new WindowDim(2, Stride: 2)], ElementwiseTable.Maximum)));
        yield return Case("loop over rows", [N, 2], (b, x) => b.Repeat(N, [b.Splat(DType.F64, Shape.Of(2), 0.5)], [x], (c, r, p, w) =>
        {
            Node row = c.DynamicSlice(w[0], [r, c.Constant(DType.I64, 0)], [1, 2]);
            return [c.HyperbolicTangent(c.Add(p[0], c.Reshape(row, Shape.Of(2))))];
        })[0]);
        yield return Case("running sums", [M], (b, x) => b.HyperbolicTangent(b.CumSum(x, 0)));
    }

    [TestCaseSource(nameof(Graphs))]
    public void OneGradientServesAllSizes(Shape shape, Func<GraphBuilder, Node, Node> build)
    {
        Module module = Gradient(shape, build);
        Assert.That(Verifier.Check(module), Is.Empty);
        foreach ((long n, long m) in ((long, long)[])[(1, 4), (3, 5), (4, 9)])
        {
            Dictionary<string, long> dims = module.Symbols.ToDictionary(s => s.Name, s => s == N ? n : m);
            Module late = Specialization.Apply(module, dims);
            TensorType type = late.Entry.Parameters[0].Type;
            Literal x = Noise(type.Shape.ToStatic(), 7, DType.F64);

            Literal gradient = Evaluator.Evaluate(late.Entry, [x])[0];

            Assert.That(gradient.Type, Is.EqualTo(type), $"n={n}, m={m}");
            AssertDifferences(Specialization.Apply(Value(shape, build), dims), x, gradient, $"n={n}, m={m}");
        }
    }

    private static void AssertDifferences(Module value, Literal x, Literal gradient, string sizes)
    {
        const double Step = 1e-5;
        for (int k = 0; k < x.ElementCount; k++)
        {
            double expected = (At(k, Step) - At(k, -Step)) / (2 * Step);
            Assert.That(gradient[k].AsDouble, Is.EqualTo(expected).Within(1e-6 * Math.Max(1, Math.Abs(expected))), $"{sizes}, {k}");
        }

        double At(int element, double step)
        {
            int position = 0;
            Literal moved = Literal.Generate(x.Type, _ =>
            {
                double present = x[position].AsDouble;
                return Scalar.FromDouble(DType.F64, position++ == element ? present + step : present);
            });
            return Evaluator.Evaluate(value.Entry, [moved])[0][0].AsDouble;
        }
    }

    private static Module Gradient(Shape shape, Func<GraphBuilder, Node, Node> build) => Make(shape, (b, x) =>
    {
        Node y = Squares(b, build(b, x));
        return ReverseMode.Run(b, [y], [b.Like(y, 1)], [x])[0]!;
    });

    private static Module Value(Shape shape, Func<GraphBuilder, Node, Node> build) =>
        Make(shape, (b, x) => Squares(b, build(b, x)));

    private static Module Make(Shape shape, Func<GraphBuilder, Node, Node> build)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F64, shape));
        return new Module("symbolic", b.Build("main", [build(b, x)]), ["x"], ["y"], b.Provenance);
    }

    private static Node Squares(GraphBuilder b, Node y) => b.ReduceSum(b.Multiply(y, y), null, keepDims: false);

    private static TestCaseData Case(string name, Shape shape, Func<GraphBuilder, Node, Node> build) =>
        new TestCaseData(shape, build).SetArgDisplayNames(name);
}
