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
            "bench", Write(folder), "--dim", "batch=4", "--device", "interpreter", "--runs", "2", "--warmup", "1",
            "--kernels", "--no-cache", "--json");
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

    [Test]
    public void TilesAreMeasuredWrittenDownAndUsed()
    {
        using var folder = new TemporaryFolder();
        var graph = new Graph("product");
        Tensor x = graph.Placeholder(DType.F32, ["batch", 24], "x");
        Tensor y = x.MatMul(graph.Placeholder(DType.F32, [24, 40], "w"));
        string model = folder.Combine("model.hlo");
        string record = folder.Combine("model.tuning");
        File.WriteAllText(model, Printer.Print(graph.ToModule([y.Named("y")])));

        CliRun tune = CliRun.Of(
            "tune", model, "--dim", "batch=9", "--device", "interpreter", "--candidates", "2", "--runs", "1",
            "-o", record);
        Assert.That(tune.Exit, Is.Zero, tune.Error);
        Assert.That(tune.Output, Does.Contain("1 x 9 x 40 x 24").And.Contain("1 products for sm_90a with 16 multiprocessors"));
        Assert.That(tune.Error, Does.Contain("say nothing about a GPU"));
        CliRun again = CliRun.Of(
            "tune", model, "--dim", "batch=5", "--device", "interpreter", "--candidates", "1", "--runs", "1",
            "-o", record);
        Assert.That(again.Exit, Is.Zero, again.Error);
        Assert.That(File.ReadAllText(record), Does.Contain("\"rows\": 9").And.Contain("\"rows\": 5"));

        string[] run = ["run", model, "--random", "3", "--dim", "batch=9"];
        Assert.That(
            CliRun.Of([.. run, "--device", "interpreter", "--tuning", record]).Output,
            Is.EqualTo(CliRun.Of([.. run, "--device", "cpu"]).Output));
        Assert.That(CliRun.Of([.. run, "--tuning", record]).Error, Does.Contain("--tuning is for GPUs"));
        Assert.That(CliRun.Of("tune", model, "-o", record).Error, Does.Contain("use --device cuda"));
        Assert.That(CliRun.Of("tune", model, "--device", "interpreter", "-o", model).Error, Does.Contain("GR5080"));
        CliRun compiled = CliRun.Of("compile", model, "--target", "nvptx:sm_80", "--tuning", record, "-o", folder.Combine("model.ptx"));
        Assert.That(compiled.Exit, Is.Zero, compiled.Error);
        Assert.That(
            compiled.Error,
            Does.Contain("0 of 2 measured products are for sm_80 with 108 multiprocessors; the others are left alone"));
        Assert.That(
            CliRun.Of("compile", model, "--tuning", record, "-o", folder.Combine("model.graphene")).Error,
            Does.Contain("--tuning is for GPUs"));
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
