using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>The same graph and inputs give the same bits: whatever the batch, however many threads, however often.</summary>
internal sealed class DeterminismTests
{
    private static readonly Literal First = Values(784, 512);
    private static readonly Literal Second = Values(512, 10);

    [Test]
    public void OneCompilationServesEveryBatchWithTheBitsOfTheStaticOnes()
    {
        using var session = new Session(Mlp(Dim.Symbol("batch", 1, 512)), new CompiledModule.Uncached());
        foreach (long batch in Enumerable.Range(1, 30).Append(64))
        {
            Literal x = Values(batch, 784);
            Literal dynamic = session.Run("y0", new Dictionary<string, Feed> { ["x0"] = x });
            Literal fixedSize = CompiledModule.Run(Mlp(batch), [x])[0];
            LiteralAssert.AreEqual(dynamic, fixedSize, $"batch {batch}");
        }
        Assert.That(session.PlanCount, Is.EqualTo(1));
    }

    [Test]
    public void ARowDoesNotDependOnWhatSharesTheBatch()
    {
        Literal x = Values(64, 784);
        Literal together = CompiledModule.Run(Mlp(64), [x])[0];
        using var session = new Session(Mlp(Dim.Symbol("batch", 1, 512)), new CompiledModule.Uncached());
        for (int row = 0; row < 64; row += 9)
        {
            Literal one = Literal.From(x.As<float>().Slice(row * 784, 784), 1, 784);
            Literal alone = session.Run("y0", new Dictionary<string, Feed> { ["x0"] = one });
            Assert.That(alone.As<float>().SequenceEqual(together.As<float>().Slice(row * 10, 10)), $"row {row}");
        }
    }

    [Test]
    public void ThreadsAndRepetitionsChangeNoBit()
    {
        Literal x = Values(2, 8, 40, 40);
        Module module = Network();
        Literal[] expected = CompiledModule.Run(module, [x], threads: 1);
        foreach (int threads in new[] { 1, 2, 4 })
        {
            using var pool = new ComputePool(threads);
            using var session = new Session(
                module, new CompiledModule.Uncached(), new SessionOptions { MaxThreads = threads, Pool = pool });
            for (int i = 0; i < 100; i++)
            {
                Literal[] actual = session.Run(module.OutputNames, new Dictionary<string, Feed> { ["x0"] = x });
                for (int r = 0; r < expected.Length; r++)
                {
                    Assert.That(actual[r], Is.EqualTo(expected[r]), $"{threads} threads, run {i}, output {r}");
                }
            }
        }
    }

    private static Module Mlp(Dim batch) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, [batch, 784]));
        Node hidden = b.Dot(x, b.Constant(First));
        hidden = b.Maximum(hidden, b.Splat(DType.F32, hidden.Shape, 0));
        return [b.Softmax(b.Dot(hidden, b.Constant(Second)), 1)];
    });

    // A convolution, reductions along rows and across them, a product of two computed matrices.
    private static Module Network() => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 8, 40, 40)));
        var window = new WindowDim(3, 1, 1, 1);
        var convolution = new ConvolutionOp(ConvolutionDimensions.ChannelsFirst(2), [window, window], 1, 1, DType.F32);
        Node y = b.Exponential(b.Add(convolution, x, b.Constant(Values(24, 8, 3, 3))));
        Node rows = b.Reshape(y, Shape.Of(48, 1600));
        return
        [
            b.ReduceSum(rows, [1]), b.ReduceSum(rows, [0]), b.Softmax(rows, 1),
            b.DotGeneral(rows, rows, [], [], [1], [1]),
        ];
    });

    private static Literal Values(params long[] shape)
    {
        var random = new Random(17);
        return Literal.Generate(
            new TensorType(DType.F32, Shape.Of(shape)), _ => Scalar.FromDouble(DType.F32, (random.NextDouble() - 0.5) * 0.2));
    }
}
