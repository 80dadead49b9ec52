using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Reductions along rows on a GPU: all lengths, one pass over memory, the processor's bits where the order is one.</summary>
internal sealed class LoopsRowTests
{
    private const double Tolerance = 1e-4;
    private static readonly Dim Batch = Dim.Symbol("batch", 1, 4096);

    private static TensorType F32(params long[] shape) => new(DType.F32, Shape.Of(shape));

    [TestCase(5, 2)]
    [TestCase(300, 3)]
    [TestCase(41, 5)]
    [TestCase(33, 8)]
    [TestCase(41, 10)]
    [TestCase(9, 31)]
    [TestCase(9, 32)]
    [TestCase(9, 33)]
    [TestCase(17, 49)]
    [TestCase(3, 64)]
    [TestCase(7, 77)]
    [TestCase(5, 197)]
    [TestCase(3, 768)]
    [TestCase(3, 1000)]
    [TestCase(2, 1024)]
    public void SumsHaveTheProcessorsBits(long rows, long columns)
    {
        var graph = new LoopsGraph([F32(rows, columns)], (b, p) => [b.ReduceSum(p[0], [1])]);

        LoweredKernel kernel = graph.Check([Evaluation.Noise([rows, columns], 1)], Tolerance)[0];

        AssertReadOnce(graph, kernel, 0, columns);
    }

    [TestCase(2, 1025)]
    [TestCase(2, 2048)]
    [TestCase(1, 3000)]
    [TestCase(2, 8192)]
    [TestCase(1, 20_000)]
    public void LongRowsAreSummedInOneOrder(long rows, long columns)
    {
        var graph = new LoopsGraph([F32(rows, columns)], (b, p) => [b.ReduceSum(p[0], [1])]);

        LoweredKernel kernel = graph.Check([Evaluation.Noise([rows, columns], 1)], 1e-3, isSameOrder: false)[0];

        AssertReadOnce(graph, kernel, 0, columns);
    }

    [TestCase(41, 5, DType.F32)]
    [TestCase(9, 77, DType.F32)]
    [TestCase(5, 128, DType.F32)]
    [TestCase(3, 1000, DType.F32)]
    [TestCase(2, 3000, DType.F32)]
    [TestCase(9, 77, DType.BF16)]
    [TestCase(9, 77, DType.F16)]
    [TestCase(9, 77, DType.F64)]
    public void SoftmaxReadsARowOnce(long rows, long columns, DType type)
    {
        var graph = new LoopsGraph([new TensorType(type, Shape.Of(rows, columns))], (b, p) => [b.Softmax(p[0], 1)]);

        LoweredKernel kernel = graph.Check(
            [LoopsGraph.Values(type, 1, rows, columns)], type is DType.BF16 or DType.F16 ? 1e-2 : Tolerance,
            isSameOrder: columns <= RowTeam.Segment)[0];

        AssertReadOnce(graph, kernel, 0, columns);
        graph.Check([LoopsGraph.Values(type, 1, rows, columns)], 1e-2, columns <= RowTeam.Segment, overwritten: 0);
    }

    [TestCase(5, 96)]
    [TestCase(3, 768)]
    [TestCase(2, 1280)]
    public void LayerNormReadsARowOnce(long rows, long columns)
    {
        var graph = new LoopsGraph(
            [F32(rows, columns), F32(columns), F32(columns)], (b, p) => [b.LayerNorm(p[0], p[1], p[2])]);

        LoweredKernel kernel = graph.Check(
            [Evaluation.Noise([rows, columns], 1), Evaluation.Noise([columns], 2), Evaluation.Noise([columns], 3)], Tolerance,
            isSameOrder: columns <= RowTeam.Segment)[0];

        AssertReadOnce(graph, kernel, 0, columns);
    }

    [Test]
    public void ResidualAndNormalizationAreOnePass()
    {
        var graph = new LoopsGraph([F32(6, 256), F32(6, 256), F32(256)], (b, p) =>
        {
            Node sum = b.Add(p[0], p[1]);
            return [sum, b.RmsNorm(sum, p[2])];
        });

        LoweredKernel kernel = graph.Check(
            [Evaluation.Noise([6, 256], 1), Evaluation.Noise([6, 256], 2), Evaluation.Noise([256], 3)], Tolerance)[0];

        AssertReadOnce(graph, kernel, 0, 256);
        AssertReadOnce(graph, kernel, 1, 256);
    }

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(130)]
    public void TheNumberOfRowsMayBeFed(long batch)
    {
        foreach (long columns in (long[])[10, 64, 300, 1536])
        {
            var graph = new LoopsGraph([new TensorType(DType.F32, [Batch, columns])], (b, p) => [b.Softmax(p[0], 1)]);

            graph.Check([Evaluation.Noise([batch, columns], 1)], Tolerance, isSameOrder: columns <= RowTeam.Segment);
        }
    }

    [TestCase(3, 1)]
    [TestCase(3, 10)]
    [TestCase(9, 255)]
    [TestCase(10, 257)]
    [TestCase(2, 1024)]
    [TestCase(2, 1025)]
    [TestCase(1, 9000)]
    [TestCase(2, 17_000)]
    public void LengthsMayBeFed(long rows, long columns)
    {
        Dim length = Dim.Symbol("length", 1, 1 << 20);
        TensorType[] types = [new(DType.F32, [Batch, length])];
        Literal[] inputs = [Evaluation.Noise([rows, columns], 1)];
        bool isSameOrder = columns <= RowTeam.Segment;

        new LoopsGraph(types, (b, p) => [b.Softmax(p[0], 1)]).Check(inputs, 1e-3, isSameOrder);
        new LoopsGraph(types, (b, p) => [b.Softmax(p[0], 1)]).Check(inputs, 1e-3, isSameOrder, overwritten: 0);
        new LoopsGraph(types, (b, p) => [b.ReduceMax(p[0], [1]), b.ReduceSum(p[0], [1])]).Check(inputs, 1e-3, isSameOrder);
        var fed = new LoopsGraph(types, (b, p) => [b.ReduceSum(p[0], [1])]);
        var known = new LoopsGraph([F32(rows, columns)], (b, p) => [b.ReduceSum(p[0], [1])]);
        LiteralAssert.AreEqual(fed.Run(inputs)[0], known.Run(inputs)[0], "whether a length is known changes no bit");
    }

    [TestCase(1, 40_000)]
    [TestCase(3, 33_000)]
    public void FewLongRowsAreSharedByBlocks(long rows, long columns)
    {
        Literal[] inputs = [Evaluation.Noise([rows, columns], 1)];
        foreach (Func<GraphBuilder, Node, Node[]> write in (Func<GraphBuilder, Node, Node[]>[])
            [(b, x) => [b.ReduceSum(x, [1])], (b, x) => [Softmax(b, x)], (b, x) => [b.ArgMax(x, 1)]])
        {
            var graph = new LoopsGraph([F32(rows, columns)], (b, p) => write(b, p[0]));

            IReadOnlyList<LoweredKernel> kernels = graph.Check(inputs, 1e-3, isSameOrder: false);

            Assert.That(kernels, Has.Count.GreaterThan(1));
            Assert.That(kernels.Select(k => Blocks(k.Kernel)), Has.All.EqualTo(rows * (((columns - 1) / RowTeam.Chunk) + 1)));
            var fed = new LoopsGraph(
                [new TensorType(DType.F32, [rows, Dim.Symbol("length", 1, 1 << 20)])], (b, p) => write(b, p[0]));
            LiteralAssert.AreEqual(fed.Run(inputs)[0], graph.Run(inputs)[0], "the order does not depend on who adds up");
        }
    }

    // As one fusion, whatever the optimizer thinks of the length.
    private static Node Softmax(GraphBuilder b, Node x)
    {
        Node e = b.Exponential(b.Subtract(x, b.BroadcastBack(b.ReduceMax(x, [1]), x.Shape, [1])));
        return b.Divide(e, b.BroadcastBack(b.ReduceSum(e, [1]), e.Shape, [1]));
    }

    private static long Blocks(Kernel kernel) => (long)((KConstant)kernel.TaskCount).Value.AsInteger;

    [TestCase(DType.F32)]
    [TestCase(DType.F64)]
    [TestCase(DType.BF16)]
    [TestCase(DType.I32)]
    [TestCase(DType.I8)]
    [TestCase(DType.U64)]
    public void OtherReductions(DType type)
    {
        foreach (long columns in (long[])[6, 50, 1000])
        {
            foreach (Func<GraphBuilder, Node, Node> reduce in (Func<GraphBuilder, Node, Node>[])
                [(b, x) => b.ReduceMax(x, [1]), (b, x) => b.ReduceMin(x, [1]), (b, x) => b.ReduceProduct(x, [1])])
            {
                var graph = new LoopsGraph([new TensorType(type, Shape.Of(5, columns))], (b, p) => [reduce(b, p[0])]);

                graph.Check([LoopsGraph.Values(type, 1, 5, columns)], 1e-2);
            }
        }
    }

    [TestCase(9)]
    [TestCase(77)]
    [TestCase(1000)]
    [TestCase(5000)]
    public void PositionsOfTheLargest(long columns)
    {
        foreach (bool lastOfEqual in (bool[])[false, true])
        {
            var graph = new LoopsGraph([F32(4, columns)], (b, p) => [b.ArgMax(p[0], 1, lastOfEqual: lastOfEqual)]);

            Literal x = Literal.Generate(F32(4, columns), at => Scalar.FromDouble(
                DType.F32, at[0] == 3 && at[1] == columns - 2 ? double.NaN : (at[1] * 31 % 17) + at[0]));
            LoweredKernel kernel = graph.Check([x])[0];

            AssertReadOnce(graph, kernel, 0, columns);
        }
    }

    [Test]
    public void BoolsAndSeveralResults()
    {
        new LoopsGraph([new TensorType(DType.Bool, Shape.Of(7, 90))], (b, p) => [b.ReduceAll(p[0], [1]), b.ReduceAny(p[0], [1])])
            .Check([Literal.Generate(new TensorType(DType.Bool, Shape.Of(7, 90)), at => Scalar.FromBool(at[0] == 2 || at[1] == 80))]);
        new LoopsGraph([F32(7, 90)], (b, p) => [b.ReduceSum(p[0], [1]), b.ReduceMax(p[0], [1])]).Check([Evaluation.Noise([7, 90], 3)]);
    }

    [Test]
    public void ResultsOfRowsMayTakeTheMemoryOfAnOperand()
    {
        foreach (long columns in (long[])[10, 300, 2000])
        {
            var graph = new LoopsGraph([F32(9, columns), F32(9)], (b, p) => [b.Add(b.ReduceSum(p[0], [1]), p[1])]);

            graph.Check(
                [Evaluation.Noise([9, columns], 1), Evaluation.Noise([9], 2)], Tolerance, columns <= RowTeam.Segment, overwritten: 1);
        }
    }

    [Test]
    public void PlanesOfImages()
    {
        var graph = new LoopsGraph([F32(3, 6, 7, 7)], (b, p) => [b.ReduceSum(p[0], [2, 3])]);

        LoweredKernel kernel = graph.Check([Evaluation.Noise([3, 6, 7, 7], 1)])[0];

        AssertReadOnce(graph, kernel, 0, 49);
    }

    [Test]
    public void RowsThatMemoryDoesNotHaveTogether()
    {
        // over the first and the last dimension
        var graph = new LoopsGraph([F32(5, 6, 40)], (b, p) => [b.ReduceSum(p[0], [0, 2])]);

        graph.Check([Evaluation.Noise([5, 6, 40], 1)], Tolerance, isSameOrder: false);
    }

    [Test]
    public void AWholeTensor()
    {
        var graph = new LoopsGraph([F32(30, 50)], (b, p) => [b.ReduceSum(p[0], [0, 1])]);

        graph.Check([Evaluation.Noise([30, 50], 1)], Tolerance, isSameOrder: false);
    }

    // What a team of threads reads of an operand is the row, but for what its last elements miss.
    private static void AssertReadOnce(LoopsGraph graph, LoweredKernel lowered, int parameter, long columns)
    {
        Kernel kernel = lowered.Kernel;
        var team = new RowTeam(columns);
        long threads = team.Warps > 1 ? team.Threads : team.Width;
        long read = AccessCount.Of(kernel).Reads(graph.BufferOf(lowered, parameter)) * threads;

        Assert.That(kernel.Threads!.Count, Is.EqualTo(team.Threads));
        Assert.That(read, Is.EqualTo(threads * team.Lanes), () => KernelPrinter.Print(kernel));
        Assert.That(threads * team.Lanes, Is.InRange(columns, team.Warps > 1 ? team.Warps * RowTeam.Segment : columns + threads - 1));
    }
}
