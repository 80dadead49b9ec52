using System.Text.Json;
using Graphene.Cli;
using Graphene.Interop.Numpy;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>The commands on a small graph in IR text.</summary>
internal sealed class GraphFileCommandTests : FolderFixture
{
    private const string Text = """
        module "small"
        inputs "x", "w"
        outputs "y"

        %p0 = f32[2,3] parameter(0)
        %p1 = f32[3] parameter(1)
        %0 = f32[2,3] broadcast_in_dim(%p1), dims=[1]
        %1 = f32[2,3] add(%p0, %0)
        return %1

        """;

    private string Graph => Folder.Combine("small.hlo");

    [SetUp]
    public void WriteGraph()
    {
        File.WriteAllText(Graph, Text);
        NpyFile.Write(Folder.Combine("x.npy"), Literal.From<float>([1, 2, 3, 4, 5, 6], 2, 3));
        NpyFile.Write(Folder.Combine("w.npy"), Literal.From<float>([10, 20, 30], 3));
    }

    [TestCase("cpu")]
    [TestCase("reference")]
    public void RunComputesWritesAndCompares(string device)
    {
        string[] run =
        [
            "run", Graph, "--device", device, "--input", $"x={Folder.Path}/x.npy", "--input", $"w={Folder.Path}/w.npy",
            "--output-dir", $"{Folder.Path}/out",
        ];
        CliRun first = CliRun.Of(run);
        CliRun compared = CliRun.Of([.. run, "--expect", $"y={Folder.Path}/out/y.npy"]);
        CliRun differing = CliRun.Of([.. run, "--expect", $"y={Folder.Path}/x.npy"]);

        Assert.That(first.Exit, Is.EqualTo(ExitCode.Success), first.Error);
        Assert.That(first.Output, Does.Contain("f32[2,3]").And.Contain("[11, 22, 33, 14, 25, 36]"));
        Assert.That(
            NpyFile.Read(Path.Combine(Folder.Path, "out", "y.npy")), Is.EqualTo(Literal.From<float>([11, 22, 33, 14, 25, 36], 2, 3)));
        Assert.That(compared.Exit, Is.EqualTo(ExitCode.Success), compared.Error);
        Assert.That(differing.Exit, Is.EqualTo(ExitCode.Negative));
        Assert.That(differing.Error, Does.Contain("output 'y': 6 of 6 elements differ"));
    }

    [TestCase("--input", "x=w.npy", "--random", "1", TestName = "a shape that does not fit")]
    [TestCase("--input", "z=x.npy", "--random", "1", TestName = "an input that is not there")]
    [TestCase("--input", "x=x.npy", TestName = "an input without value")]
    [TestCase("--input", "x=x.npy", "--input", "x=x.npy", "--random", "1", TestName = "an input twice")]
    [TestCase("--input", "x=small.hlo", "--random", "1", TestName = "a file of another kind")]
    [TestCase("--input", "x", "--random", "1", TestName = "no file name")]
    [TestCase("--random", "1", "--dim", "n=3", TestName = "a dimension that is not there")]
    [TestCase("--random", "1", "--dim", "n", TestName = "a dimension without size")]
    [TestCase("--random", "1", "--expect", "z=x.npy", TestName = "an output that is not there")]
    public void RunReportsWrongFeeds(params string[] options)
    {
        string[] inFolder = [.. options.Select(o => o.Replace("=x.npy", $"={Folder.Path}/x.npy", StringComparison.Ordinal)
            .Replace("=w.npy", $"={Folder.Path}/w.npy", StringComparison.Ordinal)
            .Replace("=small.hlo", $"={Folder.Path}/small.hlo", StringComparison.Ordinal))];

        CliRun run = CliRun.Of(["run", Graph, "--device", "reference", .. inFolder]);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(run.Output, Is.Empty);
        Assert.That(run.Error, Does.StartWith("graphene: ").And.Not.Contain("internal error").And.Not.Contain("   at G"));
    }

    [Test]
    public void BenchEndsWithOneJsonObject()
    {
        CliRun run = CliRun.Of("bench", Graph, "--runs", "3", "--warmup", "0", "--threads", "1", "--json");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        using JsonDocument json = JsonDocument.Parse(run.Output.TrimEnd().Split('\n')[^1]);
        foreach (string name in new[]
            { "min_ms", "median_ms", "max_ms", "compile_ms", "load_ms", "peak_rss_mb", "arena_mb", "kernels" })
        {
            Assert.That(json.RootElement.GetProperty(name).GetDouble(), Is.GreaterThanOrEqualTo(0), name);
        }
        Assert.That(json.RootElement.GetProperty("kernels").GetInt32(), Is.Positive);
    }

    [Test]
    public void BenchMeasuresEachKernel([Values(1, 2)] int threads)
    {
        CliRun run = CliRun.Of("bench", Graph, "--runs", "3", "--warmup", "1", "--threads", $"{threads}", "--kernels", "--json");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("kernel calls, ").And.Contain("GFLOP/s FMA"));
        using JsonDocument json = JsonDocument.Parse(run.Output.TrimEnd().Split('\n')[^1]);
        JsonElement profile = json.RootElement.GetProperty("kernel_profile");
        JsonElement[] kernels = [.. profile.GetProperty("kernels").EnumerateArray()];
        Assert.That(kernels, Has.Length.EqualTo(json.RootElement.GetProperty("kernels").GetInt32()));
        Assert.That(kernels[0].GetProperty("calls").GetDouble(), Is.EqualTo(1));
        Assert.That(kernels[0].GetProperty("source").GetString(), Does.Contain("add"));
        Assert.That(kernels[0].GetProperty("bytes").GetInt64(), Is.EqualTo(2 * 24 + 12));
        Assert.That(kernels.Sum(k => k.GetProperty("ms").GetDouble()), Is.LessThanOrEqualTo(profile.GetProperty("run_ms").GetDouble()));
        Assert.That(profile.GetProperty("fma_gflops").GetDouble(), Is.Positive);
        Assert.That(profile.TryGetProperty("core_to_core_ns", out JsonElement handover), Is.EqualTo(threads > 1));
        Assert.That(threads == 1 || handover.GetDouble() > 0);
    }

    [TestCase("--runs", "0")]
    [TestCase("--warmup", "-1")]
    [TestCase("--runs", "many")]
    public void BenchReportsBadCounts(params string[] options) =>
        Assert.That(CliRun.Of(["bench", Graph, .. options]).Exit, Is.EqualTo(ExitCode.BadInput));

    [Test]
    public void ABundleRunsLikeItsModel()
    {
        string bundle = Folder.Combine("small.graphene");
        string[] inputs = ["--input", $"x={Folder.Path}/x.npy", "--input", $"w={Folder.Path}/w.npy"];

        CliRun compiled = CliRun.Of("compile", Graph, "-o", bundle);
        CliRun run = CliRun.Of(["run", bundle, .. inputs]);
        CliRun bench = CliRun.Of(["bench", bundle, .. inputs, "--runs", "2", "--json"]);
        CliRun reference = CliRun.Of(["run", bundle, .. inputs, "--device", "reference"]);
        CliRun inspect = CliRun.Of("inspect", bundle);

        Assert.That(compiled.Exit, Is.EqualTo(ExitCode.Success), compiled.Error);
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("[11, 22, 33, 14, 25, 36]"));
        Assert.That(bench.Exit, Is.EqualTo(ExitCode.Success), bench.Error);
        Assert.That(reference.Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(inspect.Exit, Is.EqualTo(ExitCode.Success), inspect.Error);
        Assert.That(inspect.Output, Does.Contain("bundle 'small'").And.Contain("function run").And.Contain("x: f32[2,3]"));
    }

    [Test]
    public void CompileInsistsOnTheNameOfABundle() =>
        Assert.That(CliRun.Of("compile", Graph, "-o", Folder.Combine("small.bin")).Exit, Is.EqualTo(ExitCode.BadInput));

    [Test]
    public void InspectShowsThePlan()
    {
        CliRun run = CliRun.Of("inspect", Graph, "--stage", "plan");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("parameter 1").And.Contain("result 0").And.Contain("arena "));
    }

    [Test]
    public void InspectWritesJsonThatReadsBack()
    {
        CliRun run = CliRun.Of("inspect", Graph, "--format", "json");

        using JsonDocument json = JsonDocument.Parse(run.Output);
        JsonElement nodes = json.RootElement.GetProperty("entry").GetProperty("nodes");
        Assert.That(
            nodes.EnumerateArray().Select(n => n.GetProperty("op").GetString()),
            Is.EquivalentTo(new[] { "parameter", "parameter", "broadcast_in_dim", "add" }));
    }

    [TestCase("dot", "digraph")]
    [TestCase("html", "<!doctype html>")]
    [TestCase("text", "module \"small\"")]
    public void InspectKnowsTheFormat(string format, string start)
    {
        CliRun run = CliRun.Of("inspect", Graph, "--format", format);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.StartWith(start).And.Contain("add"));
    }

    [Test]
    public void OptPrintsTextThatItReadsAgain()
    {
        string again = Folder.Combine("again.hlo");

        CliRun run = CliRun.Of("opt", Graph, "-o", again);
        CliRun second = CliRun.Of("opt", again);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(second.Exit, Is.EqualTo(ExitCode.Success), second.Error);
        Assert.That(second.Output, Is.EqualTo(File.ReadAllText(again)));
    }

    [Test]
    public void OptRunsThePassesThatItLists()
    {
        CliRun list = CliRun.Of("opt", "--list");
        CliRun one = CliRun.Of("opt", Graph, "--passes", "fusion", "--timing");
        CliRun none = CliRun.Of("opt", Graph, "--passes", "transpose-folding");

        Assert.That(list.Output.Split('\n'), Does.Contain("fusion").And.Contain("constant-folding").And.Contain("transpose-folding"));
        Assert.That(one.Exit, Is.EqualTo(ExitCode.Success), one.Error);
        Assert.That(one.Output, Does.Contain(" fusion("));
        Assert.That(one.Error, Does.Contain("fusion").And.Contain("ms"));
        Assert.That(none.Output, Is.EqualTo(Text));
    }

    [Test]
    public void OptReportsAnUnknownPass() =>
        Assert.That(CliRun.Of("opt", Graph, "--passes", "no-such-pass").Exit, Is.EqualTo(ExitCode.BadInput));

    [Test]
    public void BisectFindsNothingInAGoodPipeline()
    {
        CliRun run = CliRun.Of("bisect", Graph);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.StartWith("none of "));
    }
}
