using Graphene.Codegen;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Reductions across rows on a GPU: in blocks of rows joined by a second kernel, or in threads that have
/// columns of their own.
/// </summary>
internal sealed class LoopsColumnTests
{
    private const double Tolerance = 1e-4;

    private static TensorType F32(params long[] shape) => new(DType.F32, Shape.Of(shape));

    [TestCase(129, 1)]
    [TestCase(260, 21)]
    [TestCase(300, 10)]
    [TestCase(1000, 64)]
    [TestCase(513, 768)]
    public void SumsHaveTheProcessorsBits(long rows, long columns)
    {
        var graph = new LoopsGraph([F32(rows, columns)], (b, p) => [b.ReduceSum(p[0], [0])]);

        IReadOnlyList<LoweredKernel> kernels = graph.Check([Evaluation.Noise([rows, columns], 1)], 1e-3, isSameOrder: columns > 1);

        if (columns > 1)
        {
            Assert.That(kernels, Has.Count.EqualTo(2));
            AssertWholeVectors(kernels[0].Kernel);
        }
    }

    [TestCase(1, 300)]
    [TestCase(20, 300)]
    [TestCase(128, 64)]
    [TestCase(100, 7)]
    public void FewRowsNeedOneKernel(long rows, long columns)
    {
        var graph = new LoopsGraph([F32(rows, columns)], (b, p) => [b.Negate(b.ReduceSum(p[0], [0]))]);

        Assert.That(graph.Check([Evaluation.Noise([rows, columns], 1)], Tolerance), Has.Count.EqualTo(1));
    }

    [Test]
    public void ElementsAreStoredBesides()
    {
        // the gradient of relu(x + bias): what passes on, and its sum
        var graph = new LoopsGraph([F32(400, 96), F32(400, 96)], (b, p) =>
        {
            Node zero = b.Splat(DType.F32, p[0].Shape, 0);
            Node passed = b.Select(b.Greater(p[0], zero), p[1], zero);
            return [passed, b.ReduceSum(passed, [0])];
        });

        IReadOnlyList<LoweredKernel> kernels =
            graph.Check([Evaluation.Noise([400, 96], 1), Evaluation.Noise([400, 96], 2)], Tolerance);

        Assert.That(kernels, Has.Count.EqualTo(2));
        AccessCount count = AccessCount.Of(kernels[0].Kernel);
        Assert.That(count.Loads, Has.Count.EqualTo(2), "each operand once");
    }

    [TestCase(DType.F32)]
    [TestCase(DType.BF16)]
    [TestCase(DType.I32)]
    [TestCase(DType.F64)]
    public void LargestAndSmallest(DType type)
    {
        var graph = new LoopsGraph(
            [new TensorType(type, Shape.Of(500, 24))], (b, p) => [b.ReduceMax(p[0], [0]), b.ReduceMax(b.Negate(p[0]), [0])]);

        graph.Check([LoopsGraph.Values(type, 1, 500, 24)]);
    }

    [TestCase(1)]
    [TestCase(128)]
    [TestCase(777)]
    public void TheNumberOfRowsMayBeFed(long batch)
    {
        var graph = new LoopsGraph(
            [new TensorType(DType.F32, [Dim.Symbol("batch", 1, 4096), 40])], (b, p) => [b.ReduceSum(p[0], [0])]);

        Assert.That(graph.Check([Evaluation.Noise([batch, 40], 1)], Tolerance), Has.Count.EqualTo(2));
    }

    [Test]
    public void SoftmaxAcrossRows()
    {
        Module module = CompiledModule.Build(b => [b.Softmax(b.Parameter(0, F32(50, 36)), 0)]);
        Literal[] inputs = [Evaluation.Noise([50, 36], 1)];
        var onGpu = new GpuModule(module);

        LiteralAssert.AreEqual(onGpu.Run(inputs)[0], new InterpretedModule(module).Run(inputs)[0]);
        Assert.That(onGpu.Kernels, Has.None.Matches<Kernel>(k => GpuModule.IsThreadPerTask(k!)));
    }

    [Test]
    public void MiddleDimensions()
    {
        new LoopsGraph([F32(6, 70, 36)], (b, p) => [b.ReduceSum(p[0], [1])]).Check([Evaluation.Noise([6, 70, 36], 1)], Tolerance);
        new LoopsGraph([F32(6, 300, 9)], (b, p) => [b.ArgMax(p[0], 1)]).Check([Evaluation.Noise([6, 300, 9], 1)], Tolerance);
    }

    [Test]
    public void Pooling()
    {
        var graph = new LoopsGraph([F32(2, 9, 9, 8)], (b, p) => [b.Negate(b.ReduceSum(b.Slice(p[0], [0, 1, 1, 0], [2, 9, 9, 8]), [1]))]);

        graph.Check([Evaluation.Noise([2, 9, 9, 8], 1)], Tolerance);
    }

    private static void AssertWholeVectors(Kernel kernel)
    {
        AccessCount count = AccessCount.Of(kernel);
        Assert.That(count.Loads, Has.All.InstanceOf<KLoad>(), () => KernelPrinter.Print(kernel));
        Assert.That(count.Loads.Cast<KLoad>(), Has.All.Matches<KLoad>(l => l!.Alignment == l.Lanes));
    }
}
