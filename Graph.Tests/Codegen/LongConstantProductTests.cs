using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Products with a constant whose panels and rows outgrow the second cache run in blocks of k, with the bits that they
/// have without: on every machine, for every number of rows, beside every epilogue.
/// </summary>
internal sealed class LongConstantProductTests
{
    // What makes 200 terms a long sum.
    private static readonly CacheSizes Small = new(4 << 10, 4, 16 << 10);

    private static IEnumerable<TestCaseData> Machines =>
    [
        new TestCaseData(new KernelTarget(128, 8, Small)).SetArgDisplayNames("128 bits, 8 registers"),
        new TestCaseData(new KernelTarget(128, 32, Small)).SetArgDisplayNames("128 bits, 32 registers"),
        new TestCaseData(new KernelTarget(256, 16, Small)).SetArgDisplayNames("256 bits, 16 registers"),
        new TestCaseData(new KernelTarget(512, 32, Small)).SetArgDisplayNames("512 bits, 32 registers"),
    ];

    [TestCaseSource(nameof(Machines))]
    public void BlocksHaveTheBitsOfOneSum(KernelTarget machine)
    {
        Literal x = Noise([40, 200], 1);
        Module module = Dense(40, 200, 53);
        var blocked = new InterpretedModule(module, machine);
        var whole = new InterpretedModule(module, machine with { Caches = new CacheSizes(48 << 10, 12, 8 << 20) });

        Assert.That(RunsInBlocks(blocked), Is.True, "nothing was blocked");
        Assert.That(RunsInBlocks(whole), Is.False, "what fits the cache was blocked");
        LiteralAssert.AreEqual(blocked.Run([x])[0], whole.Run([x])[0]);
    }

    [Test]
    public void AConvolutionIsBlockedBetweenKernelPositions()
    {
        Literal x = Noise([1, 7, 7, 20], 1);
        var window = new WindowDim(3, 1, 1, 1);
        var dimensions = ConvolutionDimensions.ChannelsLast(2);
        Module module = CompiledModule.Build(b =>
            [b.Convolution(b.Parameter(0, x.Type), b.Constant(Noise([3, 3, 20, 24], 2)), dimensions, [window, window])]);
        var blocked = new InterpretedModule(module, new KernelTarget(256, 16, Small));

        Assert.That(RunsInBlocks(blocked), Is.True);
        LiteralAssert.AreEqual(blocked.Run([x])[0], CompiledModule.Run(module, [x])[0]);
    }

    // Larger than what a machine's second cache holds, whatever machine runs the tests.
    [Test]
    public void ThreadsAndNumbersOfRowsChangeNoBit()
    {
        const int depth = 6000;
        Literal x = Noise([130, depth], 1);
        Module module = Dense(130, depth, 70);
        Literal one = CompiledModule.Run(module, [x], threads: 1)[0];
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x], threads: 2)[0], one);

        Module anyRows = Dense(Dim.Symbol("rows", 1, 400), depth, 70);
        Assert.That(RunsInBlocks(new InterpretedModule(anyRows)), Is.True);
        using var session = new Session(anyRows, new CompiledModule.Uncached());
        foreach (int rows in new[] { 1, 17, 130 })
        {
            Literal some = Literal.From(x.As<float>()[..(rows * depth)], rows, depth);
            Literal actual = session.Run("y0", new Dictionary<string, Feed> { ["x0"] = some });
            Assert.That(actual.As<float>().SequenceEqual(one.As<float>()[..(rows * 70)]), $"{rows} rows");
        }
    }

    private static bool RunsInBlocks(InterpretedModule module) => module.Kernels.Any(
        k => k.Body.Statements.OfType<KScratch>().Any(s => s.Buffer.Name.StartsWith("sums", StringComparison.Ordinal)));

    private static Module Dense(Dim rows, int depth, int columns) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, [rows, depth]));
        Node y = b.Dot(x, b.Constant(Noise([depth, columns], 2)));
        y = b.Add(y, b.BroadcastInDim(b.Constant(Noise([columns], 3)), y.Shape, [1]));
        return [b.Maximum(y, b.Splat(DType.F32, y.Shape, 0))];
    });
}
