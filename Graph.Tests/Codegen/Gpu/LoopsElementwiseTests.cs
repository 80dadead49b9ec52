using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>
/// Loop fusions on a GPU: vectors per thread, tails, broadcasts, sections, moves of data; and that the
/// vectors are there.
/// </summary>
internal sealed class LoopsElementwiseTests
{
    private static readonly Dim Batch = Dim.Symbol("batch", 1, 4096);

    private static readonly DType[] Numbers =
        [DType.F16, DType.BF16, DType.F32, DType.F64, DType.I8, DType.U8, DType.I16, DType.I32, DType.U32, DType.I64];

    private static TensorType F32(params long[] shape) => new(DType.F32, Shape.Of(shape));

    private static Node Scale(GraphBuilder b, Node x) => b.Add(b.Multiply(x, x), x);

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(3)]
    [TestCase(1023)]
    [TestCase(1024)]
    [TestCase(1025)]
    [TestCase(5003)]
    [TestCase(280_001)]
    public void AnyNumberOfElements(long n)
    {
        var graph = new LoopsGraph([F32(n), F32(n)], (b, p) => [b.Add(b.Multiply(p[0], p[1]), p[0])]);

        graph.Check([Evaluation.Noise([n], 1), Evaluation.Noise([n], 2)]);
    }

    [TestCaseSource(nameof(Numbers))]
    public void EveryType(DType type)
    {
        foreach (long n in (long[])[64, 1037])
        {
            var graph = new LoopsGraph([new TensorType(type, Shape.Of(n))], (b, p) => [Scale(b, p[0])]);

            Kernel kernel = graph.Check([LoopsGraph.Values(type, 3, n)], 1e-2)[0].Kernel;

            AccessCount count = AccessCount.Of(kernel);
            int lanes = 16 / type.SizeInBytes();
            Assert.That(count.Loads.OfType<KLoad>().Max(l => l.Lanes), Is.EqualTo(lanes), () => KernelPrinter.Print(kernel));
            Assert.That(count.Loads.OfType<KLoad>().Max(l => l.Alignment), Is.EqualTo(lanes));
            Assert.That(count.Stores.Max(s => s.Alignment), Is.EqualTo(lanes));
        }
    }

    [Test]
    public void SeveralVectorsAreOnTheirWay()
    {
        var graph = new LoopsGraph([F32(1 << 24)], (b, p) => [Scale(b, p[0])]);
        Kernel kernel = graph.Lower()[0].Kernel;
        AccessCount count = AccessCount.Of(kernel);

        Assert.That(count.Loads, Has.Count.EqualTo(2));
        Assert.That(count.Reads(kernel.Arguments[0]) * sizeof(float), Is.EqualTo(ThreadVectors.BytesInFlight));
        Assert.That(count.Stores, Has.All.Matches<KStore>(s => s!.IsStreaming));
    }

    [Test]
    public void WhatIsTheSameForAllIsLoadedOnce()
    {
        var graph = new LoopsGraph([F32(64, 256), F32()], (b, p) => [b.Multiply(p[0], b.BroadcastTo(p[1], p[0].Shape))]);

        LoweredKernel lowered = graph.Check([Evaluation.Noise([64, 256], 1), Evaluation.Noise([], 2)])[0];

        Kernel kernel = lowered.Kernel;
        Assert.That(AccessCount.Of(kernel).Reads(graph.BufferOf(lowered, 1)), Is.EqualTo(1), () => KernelPrinter.Print(kernel));
    }

    [TestCase(3, 7)]
    [TestCase(40, 768)]
    [TestCase(5, 1024)]
    [TestCase(2, 4096)]
    public void BiasesOfColumnsAndRows(long rows, long columns)
    {
        var graph = new LoopsGraph([F32(rows, columns), F32(columns), F32(rows)], (b, p) =>
        [
            b.Add(b.Add(p[0], b.BroadcastInDim(p[1], p[0].Shape, [1])), b.BroadcastInDim(p[2], p[0].Shape, [0])),
        ]);

        Kernel kernel = graph.Check(
            [Evaluation.Noise([rows, columns], 1), Evaluation.Noise([columns], 2), Evaluation.Noise([rows], 3)])[0].Kernel;

        if (columns % 4 == 0)
        {
            Assert.That(AccessCount.Of(kernel).Stores.Max(s => s.Alignment), Is.EqualTo(4), () => KernelPrinter.Print(kernel));
        }
    }

    [TestCase(1)]
    [TestCase(37)]
    public void SymbolicSizes(long batch)
    {
        var rows = new LoopsGraph([new TensorType(DType.F32, [Batch, 768]), F32(768)], (b, p) =>
            [b.Add(p[0], b.BroadcastInDim(p[1], p[0].Shape, [1]))]);
        Kernel kernel = rows.Check([Evaluation.Noise([batch, 768], 1), Evaluation.Noise([768], 2)])[0].Kernel;
        Assert.That(AccessCount.Of(kernel).Stores, Has.All.Matches<KStore>(s => s!.Alignment == 4), () => KernelPrinter.Print(kernel));

        var odd = new LoopsGraph([new TensorType(DType.F32, [Batch, 7])], (b, p) => [Scale(b, p[0])]);
        odd.Check([Evaluation.Noise([batch, 7], 1)]);
    }

    [Test]
    public void IndicesOfReshapesAreFoundOncePerVector()
    {
        // [8, 12, 64, 16] to [8, 64, 12, 16], a vector of a head at a time
        var graph = new LoopsGraph([F32(8, 12, 64, 16)], (b, p) => [b.Negate(b.Transpose(p[0], [0, 2, 1, 3]))]);
        Kernel kernel = graph.Check([Evaluation.Noise([8, 12, 64, 16], 1)])[0].Kernel;

        Assert.That(
            AccessCount.Of(kernel).Loads, Has.All.Matches<KExpr>(l => l is KLoad { Alignment: 4 }),
            () => KernelPrinter.Print(kernel));
    }

    [Test]
    public void ConcatenationsReadVectors()
    {
        var graph = new LoopsGraph([F32(16, 64), F32(16, 128)], (b, p) => [b.Negate(b.Concatenate([p[0], p[1]], 1))]);
        Kernel kernel = graph.Check([Evaluation.Noise([16, 64], 1), Evaluation.Noise([16, 128], 2)])[0].Kernel;

        Assert.That(AccessCount.Of(kernel).Loads, Has.All.Matches<KExpr>(l => l is KLoad { Lanes: 4 }), () => KernelPrinter.Print(kernel));
    }

    [Test]
    public void OddConcatenationsSlicesPadsAndReversals()
    {
        new LoopsGraph([F32(5, 7), F32(5, 6)], (b, p) => [b.Negate(b.Concatenate([p[0], p[1]], 1))])
            .Check([Evaluation.Noise([5, 7], 1), Evaluation.Noise([5, 6], 2)]);
        new LoopsGraph([F32(9, 40)], (b, p) => [b.Negate(b.Slice(p[0], [1, 3], [9, 36]))]).Check([Evaluation.Noise([9, 40], 1)]);
        new LoopsGraph([F32(9, 40)], (b, p) => [b.Negate(b.Pad(p[0], b.Constant(DType.F32, 2), [1, 4], [0, 8]))])
            .Check([Evaluation.Noise([9, 40], 1)]);
        new LoopsGraph([F32(9, 40)], (b, p) => [b.Negate(b.Reverse(p[0], [1]))]).Check([Evaluation.Noise([9, 40], 1)]);
    }

    [Test]
    public void RowsOfATableAreReadInVectors()
    {
        var graph = new LoopsGraph(
            [F32(50, 64), new TensorType(DType.I32, Shape.Of(33))], (b, p) => [b.Negate(b.Take(p[0], p[1], 0))]);
        var indices = Literal.Generate(new TensorType(DType.I32, Shape.Of(33)), at => Scalar.FromInteger(DType.I32, (at[0] * 7) % 50));
        Kernel kernel = graph.Check([Evaluation.Noise([50, 64], 1), indices])[0].Kernel;

        Assert.That(
            AccessCount.Of(kernel).Loads, Has.Some.Matches<KExpr>(l => l is KLoad { Lanes: 4, Alignment: 4 }),
            () => KernelPrinter.Print(kernel));
    }

    [Test]
    public void ResultsOfSeveralShapesAndTypes()
    {
        var graph = new LoopsGraph([F32(30, 50)], (b, p) =>
        [
            b.Negate(p[0]), b.Convert(b.Multiply(p[0], p[0]), DType.BF16), b.Greater(p[0], b.Splat(DType.F32, p[0].Shape, 0)),
        ]);

        graph.Check([Evaluation.Noise([30, 50], 1)], 1e-2);
    }

    [Test]
    public void ASingleElementMayTakeTheMemoryOfAnOperand()
    {
        var graph = new LoopsGraph([F32(), F32()], (b, p) => [b.Add(p[0], p[1])]);

        graph.Check([Evaluation.Noise([], 1), Evaluation.Noise([], 2)], overwritten: 0);
    }

    [TestCase(64)]
    [TestCase(1001)]
    public void AResultMayTakeTheMemoryOfAnOperand(long n)
    {
        var graph = new LoopsGraph([F32(n), F32(n)], (b, p) => [b.Add(b.Multiply(p[0], p[0]), p[1])]);

        graph.Check([Evaluation.Noise([n], 1), Evaluation.Noise([n], 2)], overwritten: 1);
    }

    [Test]
    public void ManyDimensions()
    {
        var graph = new LoopsGraph([F32(2, 3, 4, 5, 6, 7), F32(3, 5, 7)], (b, p) =>
            [b.Multiply(p[0], b.BroadcastInDim(p[1], p[0].Shape, [1, 3, 5]))]);

        graph.Check([Evaluation.Noise([2, 3, 4, 5, 6, 7], 1), Evaluation.Noise([3, 5, 7], 2)]);
    }

    [Test]
    public void FunctionsHaveTheProcessorsBits()
    {
        var graph = new LoopsGraph([F32(700)], (b, p) => [b.Gelu(p[0])]);

        graph.Check([Evaluation.Noise([700], 5)], 1e-4);
    }
}
