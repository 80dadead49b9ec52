using Graphene.Codegen;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Depthwise convolutions along rows of every length: the tiles at both ends leave out what lies outside, with the bits of positions that
/// are computed one by one.
/// </summary>
internal sealed class DepthwiseConvolutionTests
{
    private const int Longest = 19;

    // Kernel, stride, zeros before and after a row, distance of the kernel's elements.
    private static readonly (int Kernel, int Stride, int Low, int High, int Dilation)[] Windows =
    [
        (3, 1, 1, 1, 1), (3, 2, 1, 0, 1), (5, 1, 2, 2, 1), (5, 2, 1, 2, 1), (3, 1, 2, 2, 2), (3, 1, 0, 5, 1), (7, 1, 9, 0, 1),
        (1, 1, 0, 0, 1), (2, 1, -1, 1, 1),
    ];

    private static IEnumerable<TestCaseData> Cases => Windows.Select(w => new TestCaseData(
        new WindowDim(w.Kernel, w.Stride, w.Low, w.High, Dilation: w.Dilation)).SetArgDisplayNames(
        $"{w.Kernel} elements", $"stride {w.Stride}", $"{w.Low} and {w.High} zeros", $"dilated by {w.Dilation}"));

    [TestCaseSource(nameof(Cases))]
    public void RowsOfEveryLengthAreRight(WindowDim window)
    {
        Module fed = Depthwise(Dim.Symbol("width", 8, 64), 20, window);
        for (int width = 1; width <= Longest; width++)
        {
            if (window.OutputSize(width).Value <= 0)
            {
                continue;
            }
            Literal x = SmallIntegers(2, 6, width, 20);
            Module known = Depthwise(width, 20, window);
            Literal expected = Evaluator.Evaluate(known.Entry, [x])[0]; // sums of small integers, which are exact

            LiteralAssert.AreEqual(new InterpretedModule(known).Run([x])[0], expected, $"{width} wide, interpreted");
            if (width is 8 or 13)
            {
                LiteralAssert.AreEqual(CompiledModule.Run(known, [x])[0], expected, $"{width} wide");
                LiteralAssert.AreEqual(CompiledModule.Run(fed, [x])[0], expected, $"{width} wide, fed");
            }
        }
    }

    // The order of a sum is the same at the ends of a row, so its bits are.
    [Test]
    public void BitsDoNotDependOnHowLengthsAreKnown([Values(3, 5)] int kernel)
    {
        var window = new WindowDim(kernel, 1, kernel / 2, kernel / 2);
        Literal x = Noise([2, 6, 13, 24], 1);
        Literal known = CompiledModule.Run(Depthwise(13, 24, window), [x])[0];
        LiteralAssert.AreEqual(CompiledModule.Run(Depthwise(Dim.Symbol("width", 8, 64), 24, window), [x])[0], known);
        foreach (bool halves in new[] { false, true })
        {
            var machine = new KernelTarget(512, 32, CacheSizes.Typical) { HalvesVectors = halves };
            LiteralAssert.AreEqual(new InterpretedModule(Depthwise(13, 24, window), machine).Run([x])[0], known, $"halves: {halves}");
        }
    }

    private static Module Depthwise(Dim width, int features, WindowDim window) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, [2, 6, width, features]));
        Literal weights = SmallIntegers(window.Size.Value, window.Size.Value, 1, features);
        var rows = new WindowDim(window.Size.Value, 1, window.Size.Value - 1, 0);
        Node y = b.Add(
            new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [rows, window], features, 1, DType.F32), x, b.Constant(weights));
        return [b.Maximum(y, b.BroadcastInDim(b.Constant(Scalar.FromDouble(DType.F32, -2)), y.Shape, []))];
    });
}
