using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Taps of a convolution that read zeros of a border alone are left out, and no bit tells.</summary>
internal sealed class BorderTapsTests
{
    private static readonly OptimizerOptions Definition = OptimizerOptions.Default with { Winograd = WinogradTiles.None };

    // Image with its batch, and the windows of rows and columns.
    private static IEnumerable<TestCaseData> Images =>
    [
        Case("rows of seven", [1, 7, 7], Same(), Same()),
        Case("rows of fourteen, three images", [3, 14, 14], Same(), Same()),
        Case("rows that no tile divides", [2, 11, 13], Same(5), Same(5)),
        Case("taps and features in one run of memory", [2, 20, 1], Same(), Same(), false),
        Case("strides", [2, 15, 28], new WindowDim(3, 2, 1, 1), new WindowDim(3, 2, 1, 1)),
        Case("sides of different size", [1, 12, 16], new WindowDim(4, 1, 3, 0), new WindowDim(2, 1, 0, 1)),
        Case("taps far apart", [1, 32, 32], Dilated(6), Dilated(12)),
        Case("taps further apart than the image is wide", [2, 16, 16], Dilated(24), Dilated(36)),
        Case("a border wider than the window", [1, 6, 8], new WindowDim(3, 1, 5, 4), new WindowDim(3, 1, 6, 7)),
        Case("a border that is cut off again", [1, 9, 14], new WindowDim(3, 1, 1, 1), new WindowDim(3, 1, -2, 1), false),
        Case("rows only", [2, 17, 17], Same(7), new WindowDim(1)),
        Case("columns only", [1, 14, 14], new WindowDim(1), Dilated(3)),
    ];

    [TestCaseSource(nameof(Images))]
    public void NoBitTells(long[] image, WindowDim rows, WindowDim columns, bool leavesTapsOut)
    {
        Literal x = Noise([.. image, 36]);
        Literal weights = Noise(rows.Size.Value, columns.Size.Value, 36, 70);
        Literal zero = Literal.FromScalar(Scalar.Zero(DType.F32));
        Module all = CompiledModule.Build(b => [Convolve(
            b, b.Parameter(0, x.Type), b.Constant(weights), b.Parameter(1, zero.Type), rows, columns)]);
        Module known = Known(x.Shape, weights, rows, columns);
        Literal expected = CompiledModule.Run(all, [x, zero], Definition)[0];

        var interpreted = Interpret(known);
        Assert.That(interpreted.Kernels.Any(LeavesTapsOut), Is.EqualTo(leavesTapsOut));
        Assert.That(Interpret(all).Kernels.Any(LeavesTapsOut), Is.False, "a border that is fed");
        LiteralAssert.AreEqual(interpreted.Run([x])[0], expected, "interpreted");
        LiteralAssert.AreEqual(CompiledModule.Run(known, [x], Definition, threads: 2)[0], expected);
        Module fed = Known([Dim.Symbol("images", 1, 64), image[1], image[2], 36], weights, rows, columns);
        LiteralAssert.AreEqual(CompiledModule.Run(fed, [x], Definition, threads: 2)[0], expected, "a batch that is fed");
    }

    [Test]
    public void WhatIsNoZeroIsMultiplied()
    {
        // The same fusion twice: a border of zeros, and one of ones.
        Literal x = Noise(1, 7, 7, 16);
        Module module = CompiledModule.Build(b =>
        {
            Node image = b.Parameter(0, x.Type);
            return [.. new[] { 0.0, 1.0 }.Select(border => Convolve(
                b, image, b.Constant(Noise(3, 3, 16, 32)), b.Constant(Scalar.FromDouble(DType.F32, border)), Same(), Same()))];
        });

        Literal[] expected = Evaluator.Evaluate(module.Entry, [x]);
        Literal[] actual = CompiledModule.Run(module, [x], Definition);
        Assert.Multiple(() =>
        {
            LiteralAssert.AreClose(actual[0], expected[0], 1e-5, 1e-6);
            LiteralAssert.AreClose(actual[1], expected[1], 1e-5, 1e-6);
        });
    }

    [Test]
    public void InfiniteWeightsMeetTheBorder()
    {
        Literal x = Noise(1, 14, 14, 16);
        Literal weights = Literal.Generate(
            new TensorType(DType.F32, Shape.Of(3, 3, 16, 32)),
            at => Scalar.FromDouble(DType.F32, at[0] == 0 && at[3] == 5 ? double.PositiveInfinity : 0.25));
        Literal result = CompiledModule.Run(Known(x.Shape, weights, Same(), Same()), [x], Definition)[0];

        Assert.That(result.As<float>()[5], Is.NaN); // infinity times the zeros above the first row
        Assert.That(result.As<float>()[4], Is.Not.NaN);
    }

    private static InterpretedModule Interpret(Module module) =>
        new(module, KernelTarget.Of(GraphCompiler.Cpu().Target), Definition);

    private static bool LeavesTapsOut(Kernel kernel) => KernelPrinter.Print(kernel).Contains("let tap0", StringComparison.Ordinal);

    private static Module Known(Shape image, Literal weights, WindowDim rows, WindowDim columns) => CompiledModule.Build(b =>
        [Convolve(b, b.Parameter(0, new TensorType(DType.F32, image)), b.Constant(weights), b.Constant(Scalar.Zero(DType.F32)), rows, columns)]);

    // The border in a step of its own; amounts below zero stay with the window.
    private static Node Convolve(GraphBuilder b, Node x, Node weights, Node border, WindowDim rows, WindowDim columns)
    {
        static Dim Outside(Dim amount) => Dim.Max(amount, 0);
        ValueList<WindowDim> window = [.. new[] { rows, columns }.Select(
            w => w with { Low = w.Low - Outside(w.Low), High = w.High - Outside(w.High) })];
        Node padded = b.Add(
            new PadOp([0, Outside(rows.Low), Outside(columns.Low), 0], [0, Outside(rows.High), Outside(columns.High), 0], [0, 0, 0, 0]), x, border);
        return b.Add(new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), window, 1, 1, DType.F32), padded, weights);
    }

    private static TestCaseData Case(string name, long[] image, WindowDim rows, WindowDim columns, bool leavesTapsOut = true) =>
        new TestCaseData(image, rows, columns, leavesTapsOut).SetArgDisplayNames(name);

    private static WindowDim Same(int size = 3) => new(size, 1, size / 2, size / 2);

    private static WindowDim Dilated(long distance) => new(3, 1, distance, distance, 1, distance);

    private static Literal Noise(params long[] shape)
    {
        var random = new Random(7);
        return Literal.Generate(
            new TensorType(DType.F32, Shape.Of(shape)), _ => Scalar.FromDouble(DType.F32, random.NextDouble() - 0.5));
    }
}
