using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>Dots and convolutions of dequantized bytes multiply the bytes, and differ from the real result by three roundings at most.</summary>
[TestFixture]
internal sealed class QuantizedProductsTests
{
    // Of each result: of its sum, of the two scales' product, and of the product of both.
    private const double ThreeRoundings = 3.01 / (1 << 24);

    private static readonly WindowDim Same = new(3, 1, 1, 1);

    private static readonly WindowDim Strided = new(3, 2, 1, 0);

    private static IEnumerable<TestCaseData> Convolutions =>
    [
        Case("u8, one scale", DType.U8, DType.I8, 114, [0], 1, ChannelsFirst(Same)),
        Case("u8, a scale for each output", DType.U8, DType.I8, 0, [0], 12, ChannelsFirst(Same)),
        Case("i8, no zero point", DType.I8, DType.I8, 0, [0], 12, ChannelsFirst(Same)),
        Case("i8, a zero point", DType.I8, DType.I8, -128, [0], 12, ChannelsFirst(Strided)),
        Case("zero points of weights", DType.U8, DType.U8, 3, [.. Enumerable.Range(0, 12).Select(i => 120 + i)], 12, ChannelsFirst(Same)),
        Case("features last", DType.U8, DType.I8, 255, [0], 12, ChannelsLast(Same)),
        Case("groups", DType.U8, DType.I8, 9, [0], 12, ChannelsLast(Same) with { FeatureGroups = 2 }),
        Case("dilation", DType.U8, DType.I8, 9, [0], 12, ChannelsLast(new(3, 1, 2, 2, Dilation: 2))),
        Case("a border that is cut off", DType.U8, DType.I8, 9, [0], 12, ChannelsLast(new(3, 1, 2, -1))),
    ];

    private static OptimizerOptions Off => OptimizerOptions.Default with { QuantizedProducts = false };

    [TestCaseSource(nameof(Convolutions))]
    public void ConvolutionsAreOfBytes(DType left, DType right, int zero, int[] zeros, int scales, ConvolutionOp op)
    {
        ConvolutionDimensions d = op.Dimensions;
        var sizes = new long[4];
        (sizes[d.LhsBatch], sizes[d.LhsFeature], sizes[d.LhsSpatial[0]], sizes[d.LhsSpatial[1]]) = (2, 20, 9, 11);
        var kernel = new long[4];
        (kernel[d.RhsInputFeature], kernel[d.RhsOutputFeature], kernel[d.RhsSpatial[0]], kernel[d.RhsSpatial[1]]) = (20 / op.FeatureGroups, 12, 3, 3);
        Check(
            left, sizes, zero, right, kernel, zeros, scales, d.RhsOutputFeature,
            (b, x, w) => b.Add(op with { ResultType = x.DType }, x, w));
    }

    [TestCase(DType.U8, 131, 1, false)]
    [TestCase(DType.U8, 131, 7, false)]
    [TestCase(DType.I8, -5, 7, false)]
    [TestCase(DType.I8, 0, 7, true)]
    public void DotsAreOfBytes(DType left, int zero, int scales, bool isTransposed) => Check(
        left, [2, 5, 40], zero, DType.I8, isTransposed ? [7, 40] : [40, 7], [0], scales, isTransposed ? 0 : 1,
        (b, x, w) => b.DotGeneral(x, w, [], [], [2], [isTransposed ? 1 : 0], x.DType));

    [Test]
    public void WithoutTheOptionAndForGpusProductsAreOfReals()
    {
        Module module = Dense(b => b.Constant(Bytes(DType.I8, [40, 7], 2)), scaleAxis: 1);
        Assert.That(IsOfBytes(module, OptimizerOptions.Default), Is.True);
        Assert.That(IsOfBytes(module, Off), Is.False);
        Assert.That(IsOfBytes(module, OptimizerOptions.Default with { Machine = MachineTraits.Gpu }), Is.False);
    }

    [Test]
    public void OtherFormsAreLeftAlone()
    {
        Assert.That(
            IsOfBytes(Dense(b => b.Parameter(1, new TensorType(DType.I8, Shape.Of(40, 7))), scaleAxis: 1)), Is.False, "weights that are fed");
        Assert.That(IsOfBytes(Dense(b => b.Constant(Bytes(DType.I8, [40, 7], 2)), scaleAxis: 0)), Is.False, "scales along what is summed over");
        Module far = Dense(b => b.Constant(Bytes(DType.U8, [40, 7], 2)), scaleAxis: 1);
        Assert.That(IsOfBytes(far), Is.False, "weights that need nine bits");
        Module noByte = CompiledModule.Build(b => [b.Add(
            ChannelsLast(Same),
            Dequantize(b, b.Parameter(0, new TensorType(DType.U8, Shape.Of(1, 9, 9, 16))), [300], [0.02f], 0),
            Dequantize(b, b.Constant(Bytes(DType.I8, [3, 3, 16, 8], 2)), [0], [0.01f], 3))]);
        Assert.That(IsOfBytes(noByte), Is.False, "a zero point that no byte of the border can be");
        Module depthwise = CompiledModule.Build(b =>
        {
            Node x = Dequantize(b, b.Parameter(0, new TensorType(DType.U8, Shape.Of(1, 9, 9, 16))), [3], [0.02f], 0);
            Node w = Dequantize(b, b.Constant(Bytes(DType.I8, [3, 3, 1, 16], 2)), [0], [0.01f], 3);
            return [b.Add(ChannelsLast(Same) with { FeatureGroups = 16 }, x, w)];
        });
        Assert.That(IsOfBytes(depthwise), Is.False, "depthwise");
    }

    private static void Check(
        DType left, long[] sizes, int zero, DType right, long[] weights, int[] zeros, int scales, int axis, Func<GraphBuilder, Node, Node, Node> product)
    {
        float[] factors = [.. Enumerable.Range(1, scales).Select(i => 0.003f * i)];
        Literal x = Bytes(left, sizes, 1);
        Module Build(DType type) => CompiledModule.Build(b => [product(
            b, b.Convert(Dequantize(b, b.Parameter(0, x.Type), [zero], [0.02f], 0, type), type),
            b.Convert(Dequantize(b, b.Constant(Small(Bytes(right, weights, 2))), zeros, factors, axis, type), type))]);

        Module module = Build(DType.F32);
        Assert.That(IsOfBytes(module), Is.True);
        double[] exact = Evaluator.Evaluate(Build(DType.F64).Entry, [x])[0].ToDoubles();
        double[] actual = CompiledModule.Run(module, [x])[0].ToDoubles();
        for (int i = 0; i < exact.Length; i++)
        {
            Assert.That(actual[i], Is.EqualTo(exact[i]).Within(ThreeRoundings * Math.Abs(exact[i])), $"element {i}");
        }
    }

    private static bool IsOfBytes(Module module, OptimizerOptions? options = null)
    {
        Node[] products = [.. GraphOptimizer.Run(module, options ?? OptimizerOptions.Default).Entry.Results
            .SelectMany(r => Traversal.PostOrder([r]))
            .SelectMany(n => n.Op is FusionOp fusion ? fusion.Body.PostOrder() : [n])
            .Where(n => n.Op is ConvolutionOp or DotGeneralOp)];
        Assert.That(products, Is.Not.Empty);
        return products.All(p => p.DType == DType.I32 && p.Operands.All(o => o.DType is DType.I8 or DType.U8));
    }

    private static Module Dense(Func<GraphBuilder, Node> weights, int scaleAxis) => CompiledModule.Build(b =>
    {
        Node w = weights(b);
        float[] scales = [.. Enumerable.Range(1, (int)w.Shape[scaleAxis].Value).Select(i => 0.01f * i)];
        Node x = Dequantize(b, b.Parameter(0, new TensorType(DType.U8, Shape.Of(5, 40))), [3], [0.02f], 0);
        return [b.DotGeneral(x, Dequantize(b, w, [0], scales, scaleAxis), [], [], [1], [0], DType.F32)];
    });

    // As ONNX's DequantizeLinear is imported; in f64 for what is exact.
    private static Node Dequantize(GraphBuilder b, Node stored, int[] zeros, float[] scales, int axis, DType type = DType.F32)
    {
        Node wide = b.Convert(stored, DType.I32);
        Node centered = b.Subtract(wide, Spread(Literal.From<int>(zeros, zeros.Length)));
        return b.Multiply(b.Convert(centered, type), b.Convert(Spread(Literal.From<float>(scales, scales.Length)), type));

        Node Spread(Literal values) => values.ElementCount == 1
            ? b.BroadcastInDim(b.Constant(values[0]), stored.Shape, [])
            : b.BroadcastInDim(b.Constant(values), stored.Shape, [axis]);
    }

    // Weights of u8 lie around their zero point of about 128.
    private static Literal Small(Literal weights) => weights.DType == DType.I8 ? weights : Literal.Generate(
        weights.Type, at => Scalar.FromInteger(DType.U8, 64 + (weights[at].AsInteger / 2)));

    private static Literal Bytes(DType type, long[] shape, int seed)
    {
        byte[] bytes = new byte[shape.Aggregate(1L, (n, d) => n * d)];
        new Random(seed).NextBytes(bytes);
        return new Literal(new TensorType(type, Shape.Of(shape)), bytes);
    }

    private static ConvolutionOp ChannelsFirst(WindowDim window) => new(ConvolutionDimensions.ChannelsFirst(2), [window, window], 1, 1, DType.F32);

    private static ConvolutionOp ChannelsLast(WindowDim window) => new(ConvolutionDimensions.ChannelsLast(2), [window, window], 1, 1, DType.F32);

    private static TestCaseData Case(string name, DType left, DType right, int zero, int[] zeros, int scales, ConvolutionOp op) =>
        new TestCaseData(left, right, zero, zeros, scales, op).SetArgDisplayNames(name);
}
