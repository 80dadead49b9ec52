using System.Text;
using System.Text.Json;
using Graphene.Cli;
using Graphene.Interop.Numpy;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>The commands on the demo model, an ONNX file with a symbolic batch.</summary>
internal sealed class OnnxCommandTests : FolderFixture
{
    private static readonly string Digits = RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx");

    [Test]
    public void DemoCompilesRunsAndChecksTheModel()
    {
        CliRun run = CliRun.Of("demo");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("63 of 64 held-out digits read correctly"));
        Assert.That(run.Output, Does.Contain("the reference evaluator gives the same logits"));
    }

    [Test]
    public void CheckListsInputsAndOutputs()
    {
        CliRun run = CliRun.Of("check", Digits);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("image: u8[batch,28,28,1]").And.Contain("logits: f32[batch,10]"));
    }

    [Test]
    public void BothDevicesGiveTheSameOutputs()
    {
        CliRun reference = CliRun.Of(
            "run", Digits, "--random", "3", "--dim", "batch=2", "--device", "reference", "--output-dir", Folder.Path);
        CliRun cpu = CliRun.Of(
            "run", Digits, "--random", "3", "--dim", "batch=2", "--expect", $"logits={Folder.Path}/logits.npy", "--rtol", "1e-4");

        Assert.That(reference.Exit, Is.EqualTo(ExitCode.Success), reference.Error);
        Assert.That(cpu.Exit, Is.EqualTo(ExitCode.Success), cpu.Error);
        Assert.That(NpyFile.Read(Folder.Combine("logits.npy")).Type.ToString(), Is.EqualTo("f32[2,10]"));
    }

    [Test]
    public void InspectShowsEveryStageInEveryFormat(
        [Values("imported", "optimized", "fused", "plan")] string stage, [Values("text", "html", "dot", "json")] string format)
    {
        string file = Folder.Combine("out");

        CliRun run = CliRun.Of("inspect", Digits, "--stage", stage, "--format", format, "--dim", "batch=2");
        CliRun written = CliRun.Of("inspect", Digits, "--stage", stage, "--format", format, "--dim", "batch=2", "-o", file);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(written.Exit, Is.EqualTo(ExitCode.Success), written.Error);
        Assert.That(run.Output.TrimEnd(), Is.EqualTo(File.ReadAllText(file).TrimEnd()));
        Assert.That(run.Output, format switch
        {
            "html" => Does.StartWith("<!doctype html>").And.Contain("</html>"),
            "dot" => Does.StartWith("digraph ").And.Contain("->"),
            "json" => Does.StartWith("{"),
            _ => Does.Not.StartWith("<"),
        });
        // What tells the stages apart: fusions hide the convolutions, buffers have an arena.
        Assert.That(run.Output, stage switch
        {
            "imported" => Does.Contain("convolution").And.Not.Contain("fusion"),
            "optimized" => Does.Contain("convolution").And.Not.Contain("fusion"),
            "fused" => Does.Contain("fusion"),
            _ => Does.Contain("convolution fusion").And.Contain("constant"),
        });
        if (format == "json")
        {
            using JsonDocument json = JsonDocument.Parse(run.Output);
            Assert.That(json.RootElement.GetProperty(stage == "plan" ? "steps" : "entry").ValueKind, Is.Not.EqualTo(JsonValueKind.Null));
        }
    }

    [Test]
    public void ThePlanOfASymbolicModelNamesItsSymbols()
    {
        CliRun run = CliRun.Of("inspect", Digits, "--stage", "plan");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("arena depends on batch; choose with --dim").And.Contain("784*batch bytes"));
    }

    [TestCase("--input", "picture={x}", TestName = "an input that is not there")]
    [TestCase("--input", "image={f64}", TestName = "wrong element type")]
    [TestCase("--input", "image={flat}", TestName = "wrong rank")]
    [TestCase("--input", "image={small}", TestName = "wrong height")]
    [TestCase("--input", "image={cut}", TestName = "half an array")]
    [TestCase("--input", "image={huge}", TestName = "an array of 2^62 images")]
    [TestCase("--input", "image={text}", TestName = "text as .npy")]
    [TestCase("--input", "image={pb}", TestName = "garbage as .pb")]
    [TestCase("--input", "image={none}", TestName = "a missing file")]
    [TestCase("--input", "image=", TestName = "an empty file name")]
    [TestCase("--random", "1", "--dim", "batch=-1", TestName = "a negative batch")]
    [TestCase("--random", "1", "--dim", "batch=1000000000000", TestName = "a batch that no memory holds")]
    [TestCase("--random", "1", "--dim", "batch=9223372036854775807", TestName = "a batch of 2^63 - 1")]
    [TestCase("--random", "1", "--dim", "batch=2", "--dim", "batch=3", TestName = "a size twice")]
    [TestCase("--input", "image={x}", "--dim", "batch=3", TestName = "a size that the file contradicts")]
    [TestCase("--random", "one", TestName = "a seed that is no number")]
    [TestCase("--random", "1", "--threads", "-1", TestName = "a negative number of threads")]
    [TestCase("--random", "1", "--device", "abacus", TestName = "an unknown device")]
    [TestCase("--random", "1", "--expect", "logits={text}", TestName = "text as expectation")]
    [TestCase("--random", "1", "--output-dir", "{x}", TestName = "a file as output folder")]
    public void WrongFeedsAreExplained(params string[] options)
    {
        string x = Folder.Combine("x.npy");
        NpyFile.Write(x, Literal.From<byte>(new byte[784], 1, 28, 28, 1));
        NpyFile.Write(Folder.Combine("f64.npy"), Literal.From<double>(new double[784], 1, 28, 28, 1));
        NpyFile.Write(Folder.Combine("flat.npy"), Literal.From<byte>(new byte[784], 784));
        NpyFile.Write(Folder.Combine("small.npy"), Literal.From<byte>(new byte[27 * 28], 1, 27, 28, 1));
        byte[] whole = File.ReadAllBytes(x);
        File.WriteAllBytes(Folder.Combine("cut.npy"), whole[..(whole.Length / 2)]);
        string header = Encoding.Latin1.GetString(whole[..128]).Replace("(1, 28,", "(4611686018427387904, 28,", StringComparison.Ordinal);
        File.WriteAllBytes(Folder.Combine("huge.npy"), [.. Encoding.Latin1.GetBytes(header).AsSpan(0, 128), .. whole.AsSpan(128)]);
        File.WriteAllText(Folder.Combine("text.npy"), "1, 2, 3");
        File.WriteAllBytes(Folder.Combine("garbage.pb"), [.. Enumerable.Repeat((byte)0xFF, 100)]);
        string[] files = ["x.npy", "f64.npy", "flat.npy", "small.npy", "cut.npy", "huge.npy", "text.npy", "none.npy"];
        string[] args =
        [
            .. options.Select(o => files.Aggregate(o, (text, file) => text.Replace(
                $"{{{Path.GetFileNameWithoutExtension(file)}}}", Folder.Combine(file), StringComparison.Ordinal))
                .Replace("{pb}", Folder.Combine("garbage.pb"), StringComparison.Ordinal)),
        ];

        CliRun run = CliRun.Of(["run", Digits, .. args]);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput), run.Output);
        Assert.That(run.Error, Does.Contain("graphene: ").And.Not.Contain("internal error").And.Not.Contain("   at G"));
    }

    [Test]
    public void ExportWritesAModelThatGivesTheSameOutputs()
    {
        string exported = Folder.Combine("again.onnx");

        CliRun run = CliRun.Of("export", Digits, "-o", exported, "--dim", "batch=2");
        CliRun first = CliRun.Of("run", Digits, "--random", "3", "--dim", "batch=2", "--output-dir", Folder.Path);
        CliRun second = CliRun.Of("run", exported, "--random", "3", "--expect", $"logits={Folder.Path}/logits.npy", "--rtol", "0");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.StartWith($"{exported}: ONNX operator set 21, "));
        Assert.That(first.Exit, Is.EqualTo(ExitCode.Success), first.Error);
        Assert.That(second.Exit, Is.EqualTo(ExitCode.Success), second.Error);
    }

    [Test]
    public void ExportSaysWhatOnnxCannotSay()
    {
        string graph = Folder.Combine("bits.hlo");
        File.WriteAllText(graph, "%p0 = f32[2] parameter(0)\n%0 = i32[2] bitcast_convert(%p0)\nreturn %0\n");

        CliRun run = CliRun.Of("export", graph, "-o", Folder.Combine("bits.onnx"));

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Negative));
        Assert.That(run.Error, Does.StartWith("graphene: GR4015 ").And.Contain("bitcast_convert"));
        Assert.That(File.Exists(Folder.Combine("bits.onnx")), Is.False);
    }

    [Test]
    public void BisectFindsNothingInAGoodPipeline()
    {
        CliRun run = CliRun.Of("bisect", Digits);

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Output + run.Error);
    }

    [Test]
    public void ConformancePassesGoodCasesAndFailsBadOnes()
    {
        WriteCase("good", expected: null);
        WriteCase("bad", expected: Literal.From<float>(new float[10], 1, 10));
        WriteCase("wrong-shape", expected: Literal.From<float>(new float[20], 2, 10));
        string report = Folder.Combine("report.tsv");

        CliRun run = CliRun.Of("conformance", "onnx", Folder.Path, "--report", report, "--jobs", "1");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Negative), run.Error);
        Assert.That(run.Output.TrimEnd().Split('\n')[^1], Is.EqualTo("1 passed, 2 failed, 0 skipped"));
        string[] lines = File.ReadAllLines(report);
        Assert.That(lines[0], Is.EqualTo("case\tresult\treason"));
        Assert.That(lines[1], Does.StartWith("bad\tfailed\ttest_data_set_0: output 'logits': 10 of 10 elements differ"));
        Assert.That(lines[2], Is.EqualTo("good\tpassed\t"));
        Assert.That(lines[3], Does.StartWith("wrong-shape\tfailed\t").And.Contain("expected f32[2,10]"));
    }

    [Test]
    public void ConformanceRunsThePublicCases()
    {
        string cases = SharedMaterial.RequireUnpacked("conformance/onnx_node_tests.tar.xz");

        CliRun run = CliRun.Of("conformance", "onnx", cases, "--filter", "test_softmax");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Output);
        Assert.That(run.Output, Does.Match("(?m)^[1-9][0-9]* passed, 0 failed, "));
    }

    private void WriteCase(string name, Literal? expected)
    {
        string folder = Folder.Combine(name);
        string dataSet = Path.Combine(folder, "test_data_set_0");
        Directory.CreateDirectory(dataSet);
        File.Copy(Digits, Path.Combine(folder, "model.onnx"));
        Literal image = Literal.From<byte>([.. Enumerable.Range(0, 784).Select(i => (byte)(i % 7 * 36))], 1, 28, 28, 1);
        NpyFile.Write(Folder.Combine("image.npy"), image);
        if (expected is null)
        {
            CliRun run = CliRun.Of(
                "run", Digits, "--input", $"image={Folder.Path}/image.npy", "--device", "reference", "--output-dir", Folder.Path);
            Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
            expected = NpyFile.Read(Folder.Combine("logits.npy"));
        }
        TensorProtoFile.Write(Path.Combine(dataSet, "input_0.pb"), image);
        TensorProtoFile.Write(Path.Combine(dataSet, "output_0.pb"), expected);
    }
}
