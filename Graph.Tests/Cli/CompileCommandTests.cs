using System.Text.Json;
using Graphene.Cli;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary><c>graphene compile</c>: which files come of which options.</summary>
[TestFixture]
internal sealed class CompileCommandTests : FolderFixture
{
    [SetUp]
    public void WriteTheModel()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("n", 1, 100), 4]));
        Node y = b.Dot(x, b.Constant(Literal.From<float>([1, 2, 3, 4, 5, 6, 7, 8], 4, 2)));
        var module = new Module("m", b.Build("entry", [y]), ["x"], ["y"], b.Provenance);
        File.WriteAllText(Folder.Combine("m.hlo"), Printer.Print(module));
    }

    [TestCase("m.o", "", "m.h m.json m.o")]
    [TestCase("m.ll", "", "m.json m.ll")]
    [TestCase("m.s", "--target aarch64", "m.json m.s")]
    [TestCase("m.h", "", "m.h m.json")]
    [TestCase("m.o", "--target riscv64 --freestanding", "m.h m.json m.o")]
    [TestCase("m", "--emit object,asm --emit llvm-ir", "m.h m.json m.ll m.o m.s")]
    [TestCase("m.graphene", "", "m.graphene")]
    [TestCase("m.ptx", "", "m.json m.ptx")]
    [TestCase("m.ptx", "--emit ptx,llvm-ir --target nvptx:sm_90a", "m.json m.ll m.ptx")]
    [TestCase("m.ll", "--target nvptx:sm_70", "m.ll")]
    [TestCase("m.o", "--emit bundle,object --winograd 4x4", "m.graphene m.h m.json m.o")]
    public void FormsBecomeFiles(string output, string options, string files)
    {
        CliRun run = Compile(output, options);
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(Written(), Is.EqualTo(files));
        Assert.That(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(files.Split(' ').Length));
    }

    [Test]
    public void WeightsGoToAFileThatModelsShare()
    {
        Assert.That(Compile("a.o", $"--weights {Folder.Combine("w")}").Exit, Is.EqualTo(ExitCode.Success));
        byte[] first = File.ReadAllBytes(Folder.Combine("w"));
        Assert.That(Compile("b.o", $"--weights {Folder.Combine("w")}").Exit, Is.EqualTo(ExitCode.Success));
        Assert.That(File.ReadAllBytes(Folder.Combine("w")), Is.EqualTo(first), "the same constants are there once");
        Assert.That(Written(), Is.EqualTo("a.h a.json a.o b.h b.json b.o w"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Folder.Combine("b.json")));
        Assert.That(json.RootElement.GetProperty("constants").GetString(), Is.EqualTo("file"));
        Assert.That(json.RootElement.GetProperty("files").TryGetProperty("w", out _));
    }

    [TestCase("m", "", "the ending of")]
    [TestCase("m.o", "--emit elf", "the forms are bundle, object")]
    [TestCase("m.o", "--name 2x", "GR5030")]
    [TestCase("m.o", "--target vax", "GR5010")]
    [TestCase("m.o", "--features +avx2", "GR5011")]
    [TestCase("m.o", "--target x86-64-v4 --features +amx-tile", "GR5035")]
    [TestCase("m.ptx", "--target nvptx:sm_60", "GR5070")]
    [TestCase("m.ptx", "--target nvptx:sm_9x", "GR5010")]
    [TestCase("m.ptx", "--target nvptx:sm_90a --features +ptx85", "GR5011")]
    [TestCase("m.o", "--target nvptx:sm_90a", "GR5071")]
    [TestCase("m.so", "--target nvptx:sm_90a", "GR5071")]
    [TestCase("m.graphene", "--target nvptx:sm_80 --target nvptx:sm_80", "named twice")]
    [TestCase("m.ptx", "--target x86-64-v3", "GR5072")]
    [TestCase("m.ptx", "--winograd 2x2", "--winograd is for bundles and native libraries")]
    public void WhatCannotBeDoneIsSaid(string output, string options, string message)
    {
        CliRun run = Compile(output, options);
        Assert.That(run.Exit, Is.Not.EqualTo(ExitCode.Success));
        Assert.That(run.Error, Does.Contain(message));
        Assert.That(Written(), Is.Empty);
    }

    [Test]
    public void NameComesFromTheFile()
    {
        Compile("my-model.2.h", "");
        Assert.That(File.ReadAllText(Folder.Combine("my-model.2.h")), Does.Contain("int my_model_2_run("));
        Compile("other.h", "--name scorer");
        Assert.That(File.ReadAllText(Folder.Combine("other.h")), Does.Contain("int scorer_run("));
    }

    private CliRun Compile(string output, string options) => CliRun.Of(
        ["compile", Folder.Combine("m.hlo"), "-o", Folder.Combine(output), .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

    private string Written() => string.Join(
        ' ',
        Directory.GetFiles(Folder.Path).Select(Path.GetFileName)
            .Where(f => f != "m.hlo").Order(StringComparer.Ordinal));
}
