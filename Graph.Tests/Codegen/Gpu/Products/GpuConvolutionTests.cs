using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Convolutions as products, run by the interpreter, against the reference: windows, groups, orders,
/// few channels, gradients.
/// </summary>
internal sealed class GpuConvolutionTests
{
    // Kernel, stride, padding, dilation, groups, inputs, outputs.
    private static readonly (int Kernel, int Stride, int Pad, int Dilation, int Groups, int Inputs, int Outputs)[] Windows =
    [
        (3, 1, 1, 1, 1, 16, 24), (3, 2, 1, 1, 1, 8, 33), (1, 1, 0, 1, 1, 24, 40), (7, 2, 3, 1, 1, 3, 16), (3, 1, 2, 2, 1, 5, 8),
        (3, 1, 1, 1, 2, 16, 32), (3, 1, 0, 1, 4, 12, 8),
    ];

    private static IEnumerable<TestCaseData> Cases =>
        from type in new[] { DType.F16, DType.F32, DType.I8 }
        from isLast in new[] { true, false }
        select new TestCaseData(type, isLast).SetArgDisplayNames(type.Name(), isLast ? "features last" : "features first");

    [TestCaseSource(nameof(Cases))]
    public void EqualsTheReference(DType type, bool isFeaturesLast)
    {
        foreach ((int kernel, int stride, int pad, int dilation, int groups, int inputs, int outputs) in Windows)
        {
            DType result = type == DType.I8 ? DType.I32 : type;
            var window = new WindowDim(kernel, stride, pad, pad, 1, dilation);
            Module module = CompiledModule.Build(b =>
            {
                Node x = b.Parameter(0, new TensorType(type, isFeaturesLast ? Shape.Of(2, 9, 8, inputs) : Shape.Of(2, inputs, 9, 8)));
                Node w = b.Parameter(1, new TensorType(type, isFeaturesLast
                    ? Shape.Of(kernel, kernel, inputs / groups, outputs)
                    : Shape.Of(outputs, inputs / groups, kernel, kernel)));
                Node y = b.Add(
                    new ConvolutionOp(
                        isFeaturesLast ? ConvolutionDimensions.ChannelsLast(2) : ConvolutionDimensions.ChannelsFirst(2), [window, window],
                        groups, 1, result),
                    x, w);
                Node bias = b.Parameter(2, new TensorType(result, Shape.Of(outputs)));
                return [b.Maximum(b.Add(y, b.BroadcastInDim(bias, y.Shape, [isFeaturesLast ? 3 : 1])), b.Splat(result, y.Shape, 0))];
            });
            Check(module, result, kernel * kernel * inputs, isProduct: true);
        }
    }

    [TestCase(DType.F32, 1)]
    [TestCase(DType.F32, 2)]
    [TestCase(DType.F16, 1)]
    [TestCase(DType.F16, 2)]
    public void GradientsEqualTheReference(DType type, int stride)
    {
        foreach (bool isFeaturesLast in new[] { true, false })
        {
            var window = new WindowDim(3, stride, 1, 1);
            Module module = CompiledModule.Build(b =>
            {
                Node x = b.Parameter(0, new TensorType(type, isFeaturesLast ? Shape.Of(2, 9, 8, 16) : Shape.Of(2, 16, 9, 8)));
                Node w = b.Parameter(1, new TensorType(type, isFeaturesLast ? Shape.Of(3, 3, 16, 24) : Shape.Of(24, 16, 3, 3)));
                Node y = b.Add(
                    new ConvolutionOp(
                        isFeaturesLast ? ConvolutionDimensions.ChannelsLast(2) : ConvolutionDimensions.ChannelsFirst(2), [window, window],
                        1, 1, type),
                    x, w);
                Node dy = b.Parameter(2, y.Type);
                return [.. ReverseMode.Run(b, [y], [dy], [x, w]).OfType<Node>()];
            });
            Check(module, type, 9 * 24 * 4, isProduct: stride == 1 || isFeaturesLast);
        }
    }

    private static void Check(Module module, DType result, int depth, bool isProduct)
    {
        Literal[] arguments = GpuDotTests.Arguments(module, 21);
        var gpu = new GpuModule(module);
        Literal[] actual = gpu.Run(arguments);
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(
                actual[i], expected[i], 0, ProductNoise.Bound(DType.F32, result, depth), $"result {i} of {Printer.Print(module.Entry)}");
        }
        if (isProduct)
        {
            Assert.That(gpu.Kernels.Any(HasRing), "no convolution went through shared memory");
        }
    }

    private static bool HasRing(Kernel kernel) =>
        kernel.Body.Statements.OfType<KScratch>().Any(s => s.Buffer.Space == KBufferSpace.Shared && s.Buffer.Name == "ring");
}
