using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Lowering;

/// <summary>Panels hold what their definition says, whatever the order of the matrix and wherever its bytes are.</summary>
[TestFixture]
internal sealed class PackedPanelsTests
{
    [TestCase(5, 7, 3, 1)]
    [TestCase(64, 300, 32, 1)]
    [TestCase(130, 31, 16, 2)]
    [TestCase(1, 1, 4, 3)]
    public void RowsAndColumnsAreTakenInEveryOrder(int depth, int columns, int width, int batches)
    {
        Literal matrix = Numbers(batches * depth * columns);
        long[] starts = [.. Enumerable.Range(0, batches).Select(b => (long)b * depth * columns)];
        Check(matrix, starts, Steps(depth, columns), Steps(columns, 1), width); // [k, column]
        Check(matrix, starts, Steps(depth, 1), Steps(columns, depth), width);   // [column, k]
        Check(matrix, starts, Steps(depth, 1), [.. Steps(columns, depth).Reverse()], width);
    }

    [Test]
    public void ColumnsThatOnlyBeginAndEndLikeARunAreNoRun() =>
        Check(Numbers(12), [0], [0, 4, 8], [0, 2, 1, 3], 4);

    [Test]
    public void ConstantsInAnyOrderHavePanelsOfSeveralVectors()
    {
        // More terms than a panel in scratch could have, and columns that are not consecutive.
        const int depth = 4608;
        Module module = CompiledModule.Build(b =>
        [
            b.DotGeneral(
                b.Parameter(0, new TensorType(DType.F32, Shape.Of(56, depth))),
                b.Constant(Literal.Generate(new TensorType(DType.F32, Shape.Of(64, depth)), at => Scalar.FromDouble(DType.F32, at[0]))),
                [], [], [1], [1]),
        ]);
        Module optimized = GraphOptimizer.Run(module);
        KernelTarget target = KernelTarget.Of(GraphCompiler.Cpu().Target);
        Node product = optimized.Entry.PostOrder().Single(n => n.Op is FusionOp);

        PackedPanels panels = new KernelCatalog(target, optimized).Kernels(product, _ => false)
            .SelectMany(k => k.Operands).OfType<KernelOperand.Constant>().Select(c => c.Content).OfType<PackedPanels>().Single();

        Assert.That(panels.Width, Is.GreaterThan(target.Lanes(DType.F32)));
    }

    [Test]
    public void EveryElementSizeIsPacked()
    {
        Check(Literal.From<byte>([.. Enumerable.Range(0, 60).Select(i => (byte)i)], 60), [0], Steps(6, 10), Steps(10, 1), 8);
        Check(Literal.From<Half>([.. Enumerable.Range(0, 60).Select(i => (Half)i)], 60), [0], Steps(6, 10), Steps(10, 1), 8);
        Check(Literal.From<double>([.. Enumerable.Range(0, 60).Select(i => (double)i)], 60), [0], Steps(6, 10), Steps(10, 1), 8);
    }

    [TestCase(16, 300_000, true)]
    [TestCase(16, 30_000, false)]
    [TestCase(9000, 170, true)]
    [TestCase(9000, 70, false)]
    [TestCase(2000, 160, true, 3)]
    [TestCase(2000, 160, false, 3)]
    public void OfALargeStoredMatrixOnlyWhatAPieceNeedsIsInMemory(int depth, int columns, bool isTransposed, int batches = 1)
    {
        Literal matrix = Numbers(batches * depth * columns);
        var stored = new Stored(matrix);
        long[] starts = [.. Enumerable.Range(0, batches).Select(b => (long)b * depth * columns)];
        Check(
            new Literal(matrix.Type, stored), starts, isTransposed ? Steps(depth, 1) : Steps(depth, columns),
            isTransposed ? Steps(columns, depth) : Steps(columns, 1), 32, matrix);
        int panel = isTransposed ? 32 * depth * sizeof(float) : 0;
        Assert.That(stored.LargestRead, Is.LessThanOrEqualTo(Math.Max(1 << 20, panel)));
    }

    [Test]
    public void AMatrixInNoUsefulOrderIsReadAtOnce()
    {
        Literal matrix = Numbers(600 * 600);
        var stored = new Stored(matrix);
        long[] columns = [.. Enumerable.Range(0, 600).Select(i => i * 271 % 600 * 600L)];
        Check(new Literal(matrix.Type, stored), [0], Steps(600, 1), columns, 16, matrix);
        Assert.That(stored.LargestRead, Is.EqualTo(matrix.SizeInBytes));
    }

    private static void Check(Literal matrix, long[] batches, long[] depth, long[] columns, int width, Literal? inMemory = null)
    {
        var panels = new PackedPanels(matrix, [.. batches], [.. depth], [.. columns], width);
        int size = matrix.DType.SizeInBytes();
        byte[] packed = new byte[panels.SizeInBytes];
        packed.AsSpan().Fill(0xEE);
        panels.WriteTo(packed);
        ReadOnlySpan<byte> from = (inMemory ?? matrix).Bytes.Span;
        int at = 0;
        foreach (long batch in batches)
        {
            for (int first = 0; first < columns.Length; first += width)
            {
                foreach (long k in depth)
                {
                    for (int lane = 0; lane < width; lane++, at += size)
                    {
                        bool isThere = first + lane < columns.Length;
                        ReadOnlySpan<byte> expected = isThere
                            ? from.Slice((int)(batch + k + columns[first + lane]) * size, size)
                            : new byte[size];
                        if (!packed.AsSpan(at, size).SequenceEqual(expected))
                        {
                            Assert.Fail($"column {first + lane}, k at {k} of batch {batch} is wrong");
                        }
                    }
                }
            }
        }
        Assert.That(at, Is.EqualTo(packed.Length));
    }

    private static long[] Steps(int count, long step) => [.. Enumerable.Range(0, count).Select(i => i * step)];

    private static Literal Numbers(int count) => Literal.From<float>([.. Enumerable.Range(0, count).Select(i => i + 0.5f)], count);

    private sealed class Stored(Literal content) : StoredBytes
    {
        private int _largest;

        public override long Length => content.SizeInBytes;

        public int LargestRead => _largest;

        public override void Read(long offset, Span<byte> target)
        {
            content.Bytes.Span.Slice((int)offset, target.Length).CopyTo(target);
            int seen;
            while ((seen = _largest) < target.Length && Interlocked.CompareExchange(ref _largest, target.Length, seen) != seen)
            {
            }
        }
    }
}
