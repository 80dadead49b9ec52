using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Interop.Onnx.Exporting;

/// <summary>Whole graphs, exported and imported again.</summary>
internal sealed class GraphExportTests
{
    private static readonly DimSymbol N = new("n", 1, 64);
    private static readonly DimSymbol M = new("m", 1, 64);

    private static IEnumerable<int> Seeds => Enumerable.Range(1, 60);

    // Whole numbers leave nothing to round, so that not even the order of sums matters.
    [TestCaseSource(nameof(Seeds))]
    public void RandomGraphsOfWholeNumbersGiveTheSameBits(int seed)
    {
        Module module = RandomGraph.Generate(seed, wholeNumbers: true);
        var random = new Random(seed);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select(
            type => Literal.Generate(type, _ => Scalar.FromNumber(type.DType, random.Next(-4, 5))))];
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        Literal[] actual = Evaluator.Evaluate(RoundTrip.Of(module).Entry, arguments);

        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(actual[i], expected[i], $"seed {seed}, result {i}");
        }
    }

    [TestCaseSource(nameof(Seeds))]
    public void RandomGraphsKeepInputsAndTypes(int seed)
    {
        Module module = RandomGraph.Generate(seed);
        Module back = RoundTrip.Of(module);

        Assert.That(back.InputNames, Is.EqualTo(module.InputNames));
        Assert.That(back.OutputNames, Is.EqualTo(module.OutputNames));
        Assert.That(back.Entry.ParameterTypes, Is.EqualTo(module.Entry.ParameterTypes));
        Assert.That(back.Entry.ResultTypes, Is.EqualTo(module.Entry.ResultTypes));
    }

    private static IEnumerable<TestCaseData> SymbolicGraphs()
    {
        yield return Case("slice", [N, 4], (b, x) => b.Slice(x, [0, 1], [N, 4], [2, 1]));
        yield return Case("slice to symbol", [N, 4], (b, x) => b.Slice(x, [0, 1], [(Dim)N - 1, 3], [1, 2]));
        yield return Case("slice from symbol", [(Dim)N, 2], (b, x) => b.SliceDimension(x, 0, Dim.FloorDiv(N, 2), N));
        yield return Case("pad", [N, 3], (b, x) => b.Pad(x, b.Constant(DType.F32, -1), [1, 0], [N, 0], [0, 1]));
        yield return Case("pad between", [N], (b, x) => b.Pad(x, b.Constant(DType.F32, -1), [0], [-1], [2]));
        yield return Case("concatenate", [N, M], (b, x) => b.Concatenate([x, b.Negate(x), b.Splat(DType.F32, [1, M], 7)], 0));
        yield return Case("reverse", [N, M], (b, x) => b.Reverse(x, [0]));
        yield return Case("reshape", [N, 6], (b, x) => b.Reshape(x, [(Dim)N * 2, 3]));
        yield return Case("reshape over symbols", [N, M, 2], (b, x) => b.Reshape(b.Reshape(x, [(Dim)N * M, 2]), [M, N, 2]));
        yield return Case("broadcast", [1, M], (b, x) => b.BroadcastInDim(x, [(Dim)M + 1, 1, M], [1, 2]));
        yield return Case("iota", [N], (b, x) => b.Multiply(x, b.Iota(x.Type, 0)));
        yield return Case("take", [N, M], (b, x) => b.Take(x, b.Iota(new TensorType(DType.I32, [4]), 0), 0));
        yield return Case("dynamic update", [N], (b, x) => b.DynamicUpdateSlice(
            x, b.Splat(DType.F32, [1], 9), [b.Convert(b.DimValue((Dim)N - 1), DType.I32)]));
        yield return Case("softmax", [N, M], (b, x) => b.Softmax(x, 1));
        yield return Case("mean", [N], (b, x) => b.Divide(
            x, b.BroadcastInDim(b.Convert(b.DimValue(N), DType.F32), x.Shape, [])));
        yield return Case("running sum", [N, M], (b, x) => b.ReduceWindow(
            x, b.Constant(DType.F32, 0), [new WindowDim(N, Low: (Dim)N - 1), WindowDim.Identity], ElementwiseTable.Add));
        yield return Case("pooling", [N, 6, 5, 3], (b, x) => b.MaxPool(
            x, new PoolingOptions([2, 2]) { Strides = [2, 2], ChannelsLast = true }));
        yield return Case("sum of windows", [N, 6, 5, 3], (b, x) => b.AveragePool(
            x, new PoolingOptions([3, 2]) { Padding = PaddingMode.SameUpper, ChannelsLast = true }));
        yield return Case("convolution", [N, 6, M, 3], (b, x) => b.Convolution(
            x, b.Constant(Evaluation.Noise([3, 1, 3, 4], 1)), ConvolutionDimensions.ChannelsLast(2),
            [new WindowDim(3, Low: 1, High: 1), new WindowDim(1, 2)]));
    }

    [TestCaseSource(nameof(SymbolicGraphs))]
    public void SymbolicGraphsServeEverySize(Shape shape, Func<GraphBuilder, Node, Node> build)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, shape));
        var module = new Module("symbolic", b.Build("main", [build(b, x)]), ["x"], ["y"], b.Provenance);
        Module back = RoundTrip.Of(module);
        foreach ((long n, long m) in ((long, long)[])[(1, 1), (2, 3), (5, 1), (8, 7)])
        {
            Module expected = At(module, n, m);
            Literal input = Optimizing.Random(expected.Entry.Parameters[0].Type, 3, special: false);
            LiteralAssert.AreClose(
                Evaluator.Evaluate(At(back, n, m).Entry, [input])[0], Evaluator.Evaluate(expected.Entry, [input])[0], 1e-6, 1e-6,
                $"n={n}, m={m}");
        }
    }

    private static Module At(Module module, long n, long m) =>
        Specialization.Apply(module, module.Symbols.ToDictionary(s => s.Name, s => s.Name == "n" ? n : m));

    private static TestCaseData Case(string name, Shape shape, Func<GraphBuilder, Node, Node> build) =>
        new TestCaseData(shape, build).SetArgDisplayNames(name);
}
