using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>What the optimizer joins for a GPU alone runs in one kernel, by the schedule that it was joined for.</summary>
internal sealed class LoopsFusionTests
{
    [TestCase(96, 80, DType.F32)]
    [TestCase(70, 66, DType.BF16)]
    [TestCase(33, 47, DType.F32)]
    public void ATransposeWithWorkOnBothSides(long rows, long columns, DType type)
    {
        var graph = new LoopsGraph([new TensorType(type, Shape.Of(rows, columns)), new TensorType(type, Shape.Of(columns, rows))], (b, p) =>
        {
            Node turned = b.Transpose(b.Multiply(p[0], b.Splat(type, p[0].Shape, 2)), [1, 0]);
            return [b.Add(turned, p[1]), b.Subtract(p[1], turned)];
        });

        IReadOnlyList<LoweredKernel> kernels = graph.Check(
            [LoopsGraph.Values(type, 1, rows, columns), LoopsGraph.Values(type, 2, columns, rows)], tolerance: 1e-2);

        Assert.That(kernels, Has.Count.EqualTo(1));
        Assert.That(kernels[0].Kernel.Body.Statements.OfType<KScratch>(), Has.Exactly(1).Items, "one tile: the other operand goes past it");
    }

    [TestCase(12, 20)]
    [TestCase(7, 3)]
    [TestCase(1, 64)]
    public void PiecesThatAreComputedOnTheWay(long left, long right)
    {
        var graph = new LoopsGraph([F32(9, left), F32(9, right)], (b, p) =>
        [
            b.Maximum(b.Concatenate([b.Negate(p[0]), b.Exponential(p[1])], 1), b.Splat(DType.F32, Shape.Of(9, left + right), 0)),
        ]);

        Assert.That(graph.Check([Evaluation.Noise([9, left], 1), Evaluation.Noise([9, right], 2)]), Has.Count.EqualTo(1));
    }

    [Test]
    public void PiecesOfWholeVectorsAreReadAsVectors()
    {
        var graph = new LoopsGraph([F32(64, 64, 32), F32(64, 64, 64)], (b, p) => [b.Negate(b.Concatenate([p[0], p[1]], 2))]);

        Kernel kernel = graph.Check([Evaluation.Noise([64, 64, 32], 1), Evaluation.Noise([64, 64, 64], 2)])[0].Kernel;

        Assert.That(AccessCount.Of(kernel).Loads.Select(l => l.Type.Lanes), Is.All.EqualTo(4));
    }

    [Test]
    public void APadWithWorkOnBothSides()
    {
        var graph = new LoopsGraph([F32(5, 17)], (b, p) =>
        [
            b.Negate(b.Pad(b.Exponential(p[0]), b.Constant(DType.F32, -1), [1, 2], [2, 3])),
        ]);

        Assert.That(graph.Check([Evaluation.Noise([5, 17], 1)]), Has.Count.EqualTo(1));
    }

    [TestCase(3, 40000)]
    [TestCase(1, 100_000)]
    [TestCase(5, 9000)]
    public void SoftmaxOfAFewLongRows(long rows, long columns)
    {
        Module module = CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, F32(rows, columns));
            Node Rows(Node r) => b.BroadcastInDim(r, x.Shape, [0]);
            Node e = b.Exponential(b.Subtract(x, Rows(b.ReduceMax(x, [1]))));
            return [b.Divide(e, Rows(b.ReduceSum(e, [1])))];
        });
        Literal x = Evaluation.Noise([rows, columns], 1);
        var gpu = new GpuModule(module);

        Literal actual = gpu.Run([x])[0];

        // One step: one kernel where a block holds the row, else one for each level of statistics and one for the results.
        Assert.That(gpu.Kernels.Count(), Is.EqualTo(columns <= RowTeam.MostHeld ? 1 : 3));
        LiteralAssert.AreClose(actual, Evaluator.Evaluate(module.Entry, [x])[0], 1e-5, 1e-9);
    }

    private static TensorType F32(params ReadOnlySpan<long> dims) => new(DType.F32, Shape.Of(dims));
}
