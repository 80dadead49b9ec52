using Graphene.Codegen;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Transposes on a GPU: tiles through shared memory, without conflicts of banks.</summary>
internal sealed class LoopsTransposeTests
{
    private const int Banks = 32;
    private const int BytesPerBank = 4;

    [TestCase(32, 32, DType.F32)]
    [TestCase(64, 96, DType.F32)]
    [TestCase(19, 23, DType.F32)]
    [TestCase(33, 100, DType.F64)]
    [TestCase(70, 66, DType.BF16)]
    [TestCase(65, 67, DType.BF16)]
    [TestCase(128, 64, DType.F16)]
    [TestCase(128, 132, DType.U8)]
    [TestCase(33, 35, DType.I8)]
    public void OfMatrices(long rows, long columns, DType type)
    {
        var graph = new LoopsGraph([new TensorType(type, Shape.Of(rows, columns))], (b, p) => [b.Transpose(p[0], [1, 0])]);

        Kernel kernel = graph.Check([LoopsGraph.Values(type, 1, rows, columns)])[0].Kernel;

        AssertTiled(kernel);
    }

    [Test]
    public void OfBatchesWithWorkBesides()
    {
        var f32 = new TensorType(DType.F32, Shape.Of(3, 40, 50));
        var graph = new LoopsGraph(
            [f32, new TensorType(DType.F32, Shape.Of(3, 50, 40)), new TensorType(DType.F32, Shape.Of(40))], (b, p) =>
            [
                b.Add(b.Multiply(b.Transpose(p[0], [0, 2, 1]), p[1]), b.BroadcastInDim(p[2], p[1].Shape, [2])),
            ]);

        Kernel kernel = graph.Check(
            [Evaluation.Noise([3, 40, 50], 1), Evaluation.Noise([3, 50, 40], 2), Evaluation.Noise([40], 3)])[0].Kernel;

        AssertTiled(kernel);
    }

    [TestCase(1)]
    [TestCase(3)]
    public void OfImagesInBatchesThatAreFed(long batch)
    {
        var graph = new LoopsGraph(
            [new TensorType(DType.F32, [Dim.Symbol("batch", 1, 64), 24, 6, 7])], (b, p) => [b.Transpose(p[0], [0, 2, 3, 1])]);

        Kernel kernel = graph.Check([Evaluation.Noise([batch, 24, 6, 7], 1)])[0].Kernel;

        AssertTiled(kernel);
    }

    [Test]
    public void AResultMayTakeTheMemoryOfTheOtherOperand()
    {
        var graph = new LoopsGraph(
            [new TensorType(DType.F32, Shape.Of(40, 50)), new TensorType(DType.F32, Shape.Of(50, 40))],
            (b, p) => [b.Add(b.Transpose(p[0], [1, 0]), p[1])]);

        graph.Check([Evaluation.Noise([40, 50], 1), Evaluation.Noise([50, 40], 2)], overwritten: 1);
    }

    [TestCase(1, 4)]
    [TestCase(1, 8)]
    [TestCase(1, 2)]
    [TestCase(1, 1)]
    [TestCase(2, 2)]
    [TestCase(4, 1)]
    public void WarpsMeetNoConflicts(int group, int size)
    {
        for (int fixedRow = 0; fixedRow < 32 * group; fixedRow++)
        {
            AssertNoConflict(lane => Place(fixedRow, lane, group), group * size);
        }
        for (int word = 0; word < 32; word++)
        {
            for (int j = 0; j < group; j++)
            {
                AssertNoConflict(lane => Place((group * lane) + j, word, group), group * size);
            }
        }

        void AssertNoConflict(Func<int, long> place, int bytes)
        {
            // Lanes of 8 bytes go in two halves of a warp.
            int lanes = Math.Min(Banks, Banks * BytesPerBank / bytes);
            for (int first = 0; first < Banks; first += lanes)
            {
                IEnumerable<IGrouping<long, long>> banks = Enumerable.Range(first, lanes)
                    .SelectMany(lane => Enumerable.Range(0, Math.Max(1, bytes / BytesPerBank))
                        .Select(i => (place(lane) * size / BytesPerBank) + i))
                    .Distinct().GroupBy(word => word % Banks);
                Assert.That(banks.Max(words => words.Count()), Is.EqualTo(1));
            }
        }
    }

    // The formula that kernels hold, evaluated.
    private static long Place(long row, long word, int group)
    {
        var kernel = new Kernel(
            "place", [KBuffer.ForArgument("out", DType.I64, 0, isReadOnly: false)], new KVariable("task", KType.Index), 1,
            new KBlock([]), default);
        var memory = new byte[sizeof(long)];
        var store = new KStore(kernel.Arguments[0], 0, GpuTransposeLowering.Place(row, word, group));
        new KernelInterpreter(kernel with { Body = new KBlock([store]) }, [memory]).Run();
        return BitConverter.ToInt64(memory);
    }

    // Whole lines are read and written: lanes are neighbours in every access, and the rest happens in shared memory.
    private static void AssertTiled(Kernel kernel)
    {
        AccessCount count = AccessCount.Of(kernel);
        Assert.That(kernel.Threads!.Count, Is.EqualTo(GpuTransposeLowering.Threads), () => KernelPrinter.Print(kernel));
        Assert.That(kernel.Body.Statements, Has.Some.InstanceOf<KBarrier>());
        Assert.That(count.Loads, Has.None.InstanceOf<KGather>());
        Assert.That(count.Stores, Is.Not.Empty);
    }
}
