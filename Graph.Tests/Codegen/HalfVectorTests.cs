using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>
/// Where half a vector takes half the time, products take halves for numbers of columns that leave much of the last vector empty. Bits
/// are those of whole vectors.
/// </summary>
internal sealed class HalfVectorTests
{
    private static readonly KernelTarget Whole = new(512, 32, CacheSizes.Typical);
    private static readonly KernelTarget Halves = Whole with { HalvesVectors = true };

    [TestCase(1, 8)]
    [TestCase(6, 8)]
    [TestCase(8, 8)]
    [TestCase(10, 16)]
    [TestCase(16, 16)]
    [TestCase(24, 8)]
    [TestCase(40, 8)]
    [TestCase(72, 8)]
    [TestCase(88, 16)] // 88 are computed instead of 96: too little
    [TestCase(1000, 16)]
    public void HalvesAreTakenWhereTheyLeaveOutATenth(int columns, int lanes)
    {
        Assert.That(Halves.Lanes(DType.F32, columns), Is.EqualTo(lanes));
        Assert.That(Halves.Lanes(DType.F32, Dim.Symbol("columns", 1, 100)), Is.EqualTo(16), "of a number that is not known");
        Assert.That(Whole.Lanes(DType.F32, columns), Is.EqualTo(16), "where halves gain nothing");
    }

    [Test]
    public void OneProcessorIsKnownToHalve()
    {
        LlvmTarget zen4 = LlvmTarget.X64V4 with { Cpu = "znver4", Features = "+avx512f,+avx512vl" };
        Assert.That(zen4.HalvesVectors, Is.True);
        Assert.That((zen4 with { Features = "+avx2" }).HalvesVectors, Is.False, "vectors of 256 bits are whole");
        Assert.That(LlvmTarget.X64V4.HalvesVectors, Is.False, "of a level nothing is known");
    }

    [Test]
    public void ConstantOperandsHaveTheSameBits([Values(5, 6, 24, 40, 72)] int columns, [Values(1, 3, 37)] int rows)
    {
        Literal x = Noise([rows, 45], 1);
        AssertSame([x], b => Biased(b, b.Dot(b.Parameter(0, x.Type), b.Constant(Noise([45, columns], 2))), columns));
    }

    [Test]
    public void FedOperandsHaveTheSameBits([Values(6, 24, 72)] int columns)
    {
        Literal x = Noise([37, 45], 1);
        Literal y = Noise([45, columns], 2);
        AssertSame([x, y], b => Biased(b, b.Dot(b.Parameter(0, x.Type), b.Parameter(1, y.Type)), columns));
    }

    [Test]
    public void ConvolutionsHaveTheSameBits([Values(1, 3, 20)] int inputs, [Values(1, 2)] int groups)
    {
        Literal x = Noise([2, 13, 11, inputs * groups], 1);
        var window = new WindowDim(3, 1, 1, 1);
        var op = new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], groups, 1, DType.F32);
        AssertSame([x], b => Biased(b, b.Add(op, b.Parameter(0, x.Type), b.Constant(Noise([3, 3, inputs, 24 * groups], 2))), 24 * groups));
    }

    private static Node Biased(GraphBuilder b, Node y, int columns) => b.Maximum(
        b.Add(y, b.BroadcastInDim(b.Constant(Noise([columns], 3)), y.Shape, [y.Shape.Rank - 1])), b.Splat(DType.F32, y.Shape, 0));

    // Interpreted with both, and on this processor.
    private static void AssertSame(Literal[] arguments, Func<GraphBuilder, Node> write)
    {
        Module module = CompiledModule.Build(b => [write(b)]);
        Literal expected = new InterpretedModule(module, Whole).Run(arguments)[0];
        var halves = new InterpretedModule(module, Halves);
        Assert.That(
            halves.Kernels.Select(KernelPrinter.Print), Has.Some.Contains("sum: f32x8").And.Contains("fused_multiply_add("),
            "no sums in halves");
        LiteralAssert.AreEqual(halves.Run(arguments)[0], expected);
        LiteralAssert.AreEqual(CompiledModule.Run(module, arguments)[0], expected, "compiled");
    }
}
