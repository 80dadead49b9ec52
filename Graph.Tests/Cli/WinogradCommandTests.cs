using Graphene.Interop.Numpy;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary><c>--winograd</c> changes what is compiled, and the disk cache keeps both.</summary>
internal sealed class WinogradCommandTests
{
    [Test]
    public void ResultsDifferByRoundingAlone()
    {
        using var folder = new TemporaryFolder();
        Module module = CompiledModule.Build(b => [b.Add(
            new ConvolutionOp(
                ConvolutionDimensions.ChannelsLast(2),
                [new WindowDim(3, 1, 1, 1), new WindowDim(3, 1, 1, 1)], 1, 1, DType.F32),
            b.Parameter(0, new TensorType(DType.F32, Shape.Of(1, 24, 24, 16))), b.Constant(Evaluation.Noise([3, 3, 16, 32], 5)))]);
        File.WriteAllText(folder.Combine("model.hlo"), Printer.Print(module));

        Literal direct = Run(folder, "direct", "--winograd", "none");
        Literal two = Run(folder, "two", "--winograd", "2x2");
        Literal four = Run(folder, "four", "--winograd", "4x4");
        LiteralAssert.AreEqual(Run(folder, "again", "--winograd", "none"), direct);
        LiteralAssert.AreEqual(Run(folder, "default"), two);
        Assert.That(new[] { direct, two, four }, Is.Unique);
        LiteralAssert.AreClose(two, direct, 0, 1e-4);
        LiteralAssert.AreClose(four, direct, 0, 1e-4);

        CliRun bench = CliRun.Of(
            "bench", folder.Combine("model.hlo"), "--winograd", "4x4", "--runs", "1", "--warmup", "0", "--kernels", "--no-cache", "--json");
        Assert.That(bench.Exit, Is.Zero, bench.Error);
        Assert.That(bench.Output, Does.Contain("convolution_tiles"));
    }

    private static Literal Run(TemporaryFolder folder, string output, params string[] options)
    {
        CliRun run = CliRun.Of(
            ["run", folder.Combine("model.hlo"), "--random", "3", "--output-dir", folder.Combine(output), .. options]);
        Assert.That(run.Exit, Is.Zero, run.Error);
        return NpyFile.Read(Directory.GetFiles(folder.Combine(output), "*.npy").Single());
    }
}
