using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Depthwise convolutions, gradients of pooling and random bits on a GPU, against the reference.</summary>
internal sealed class GpuWindowTests
{
    [TestCase(12, 9, 1, 1)]
    [TestCase(10, 9, 1, 1)]
    [TestCase(8, 13, 2, 1)]
    [TestCase(4, 7, 1, 0)]
    [TestCase(16, 3, 1, 2)]
    public void DepthwiseConvolutionsTakeFourPositionsOrOne(int features, int width, int stride, int padding)
    {
        Literal weights = Noise([3, 3, 1, features], 7);
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 8, width, features)));
            WindowDim window = new(3, stride, padding, padding);
            Node y = b.Add(
                new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], features, 1, DType.F32), x, b.Constant(weights));
            return [b.Maximum(y, b.Splat(DType.F32, y.Shape, 0))];
        });
        Literal input = Noise([2, 8, width, features], 1);
        var gpu = new GpuModule(module);
        Kernel kernel = gpu.Kernels.Single(k => k.Name == "convolution");
        Assert.That(GpuModule.IsThreadPerTask(kernel), Is.False);
        int lanes = features % 4 == 0 ? 4 : 1;
        Assert.That(AccessCount.Of(kernel).Loads, Is.All.Matches<KExpr>(e => e is KLoad l && l.Lanes == lanes && l.Alignment == lanes));
        LiteralAssert.AreClose(gpu.Run([input])[0], Evaluator.Evaluate(module.Entry, [input])[0], 1e-5, 1e-6);
    }

    [TestCase(3, 2, 1)]
    [TestCase(3, 1, 0)]
    [TestCase(2, 1, 1)]
    [TestCase(4, 3, 2)]
    public void WindowsThatOverlapGiveTheirGradientsInOrder(int size, int stride, int padding)
    {
        WindowDim[] window = [new(1), new(size, stride, padding, padding), new(size, stride, padding, padding)];
        long places = window[1].OutputSize(11).Value;
        Module module = CompiledModule.Build(b => [b.Add(
            new SelectAndScatterOp([.. window], Body((n, x, y) => n.LessOrEqual(y, x)), Body((n, x, y) => n.Add(x, y))),
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 11, 11))),
            b.Parameter(1, new TensorType(DType.F32, Shape.Of(2, places, places))),
            b.Parameter(2, TensorType.Scalar(DType.F32)))]);
        var node = new GpuNode(module);
        Assert.That(node.HasOwnSchedule);
        // Few different numbers, so that several elements of a window are largest.
        var random = new Random(5);
        Literal x = Literal.Generate(new TensorType(DType.F32, Shape.Of(2, 11, 11)), _ => Scalar.FromDouble(DType.F32, random.Next(3)));
        Literal[] arguments = [x, Noise([2, places, places], 2), Noise([], 3)];
        LiteralAssert.AreEqual(node.Run(arguments)[0], Evaluator.Evaluate(module.Entry, arguments)[0]);
    }

    [TestCase(DType.U32, 1000)]
    [TestCase(DType.I64, 33)]
    [TestCase(DType.U16, 5)]
    [TestCase(DType.U8, 7)]
    [TestCase(DType.U32, 0)]
    public void RandomBitsAreThoseOfTheReference(DType type, int count)
    {
        Module module = CompiledModule.Build(b => b.Results(b.Add(
            new RngBitGeneratorOp(RngAlgorithm.Philox, new TensorType(type, Shape.Of(count))),
            b.Parameter(0, new TensorType(DType.U64, Shape.Of(2))))));
        Literal state = Literal.From<ulong>([0x123456789ABCDEF0, ulong.MaxValue - 3], 2);
        Node node = module.Entry.PostOrder().Single(n => n.Op is RngBitGeneratorOp);
        LoweredKernel kernel = NodeLowering.Lower("rng", node, KernelTarget.Of(new GpuTarget(90, true)), _ => false).Single();
        Literal[] expected = Evaluator.Evaluate(module.Entry, [state]);
        Memory<byte>[] memory = [state.Bytes.ToArray(), new byte[16], new byte[expected[1].Bytes.Length]];
        new KernelInterpreter(kernel.Kernel, memory).Run();
        LiteralAssert.AreEqual(new Literal(expected[0].Type, memory[1].ToArray()), expected[0], "the next state");
        LiteralAssert.AreEqual(new Literal(expected[1].Type, memory[2].ToArray()), expected[1], "the bits");
    }

    private static Computation Body(Func<GraphBuilder, Node, Node, Node> combine)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(DType.F32));
        Node y = b.Parameter(1, TensorType.Scalar(DType.F32));
        return b.Build("body", [combine(b, x, y)]);
    }
}
