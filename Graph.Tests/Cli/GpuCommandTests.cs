using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>Models on GPUs by the command line, as far as that can be tried without one.</summary>
internal sealed class GpuCommandTests
{
    [Test]
    public void AModelRunsOnTheInterpretingDeviceAsOnTheProcessor()
    {
        using var folder = new TemporaryFolder();
        string model = Write(folder);
        string[] outputs =
        [
            .. ((string[])["cpu", "interpreter"]).Select(device =>
            {
                CliRun run = CliRun.Of("run", model, "--random", "3", "--dim", "batch=5", "--device", device);
                Assert.That(run.Exit, Is.Zero, run.Error);
                return run.Output;
            }),
        ];
        Assert.That(outputs[1], Is.EqualTo(outputs[0]));
    }

    [Test]
    public void KernelsAreMeasuredOneByOne()
    {
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of(
            "bench", Write(folder), "--dim", "batch=4", "--device", "interpreter", "--runs", "2", "--warmup", "1", "--kernels", "--no-cache", "--json");
        Assert.That(run.Exit, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("kernel_profile").And.Contain("16 multiprocessors"));
    }

    [Test]
    public void WithoutADriverTheErrorSaysWhatToInstall()
    {
        if (OperatingSystem.IsLinux() && File.Exists("/proc/driver/nvidia/version"))
        {
            Assert.Ignore("there is a driver");
        }
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of("run", Write(folder), "--random", "3", "--dim", "batch=5", "--device", "cuda");
        Assert.That(run.Exit, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("GR6501").And.Contain("install NVIDIA's driver"));
        Assert.That(run.Output, Is.Empty);
    }

    private static string Write(TemporaryFolder folder)
    {
        var graph = new Graph("gpu-model");
        Tensor x = graph.Placeholder(DType.F32, ["batch", 6], "x");
        Tensor y = ((x * 2) + 1).Abs();
        string path = folder.Combine("model.hlo");
        File.WriteAllText(path, Printer.Print(graph.ToModule([y.Named("y")])));
        return path;
    }
}
