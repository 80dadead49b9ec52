using System.Security.Cryptography;
using Graphene.Cli;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>Bundles of several functions, variants and states, made, shown and verified from the command line.</summary>
internal sealed class BundleCommandTests : FolderFixture
{
    private const string Fill = """
        module "fill"
        inputs "x"
        outputs "sum", "cache_out"
        %p0 = f32[4] parameter(0)
        %0 = f32[4] constant([1,2,3,4])
        %1 = f32[4] multiply(%p0, %0)
        return %p0, %1
        """;

    private const string Step = """
        module "step"
        inputs "cache_in", "x"
        outputs "cache_out", "y"
        %p0 = f32[4] parameter(0)
        %p1 = f32[4] parameter(1)
        %0 = f32[4] constant([1,2,3,4])
        %1 = f32[4] add(%p0, %p1)
        %2 = f32[4] multiply(%1, %0)
        return %1, %2
        """;

    private string Bundle => Folder.Combine("model.graphene");

    [SetUp]
    public void WriteModels()
    {
        File.WriteAllText(Folder.Combine("fill.hlo"), Fill);
        File.WriteAllText(Folder.Combine("step.hlo"), Step);
    }

    [Test]
    public void FunctionsOfSeveralModelsShareTheirState()
    {
        CliRun run = Compile("--state", "cache_in=cache_out");
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(run.Output, Does.Contain("functions fill, step"));

        using CompiledGraph graph = CompiledGraph.Load(Bundle);
        using GraphState state = graph.CreateState();
        Assert.That(state.Program("fill").Outputs.Select(o => o.Name), Is.EqualTo(new[] { "sum" }));
        Assert.That(state.Program("step").Inputs.Select(o => o.Name), Is.EqualTo(new[] { "x" }));
        state.Program("fill").Run(new Dictionary<string, Feed> { ["x"] = new float[] { 1, 1, 1, 1 } });
        Literal y = state.Program("step").Run(new Dictionary<string, Feed> { ["x"] = new float[] { 1, 1, 1, 1 } })[0];
        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new float[] { 2, 6, 12, 20 }));
        Assert.That(state.Read("cache_in").As<float>().ToArray(), Is.EqualTo(new float[] { 2, 3, 4, 5 }));
    }

    [Test]
    public void AllVariantsOfATargetAreInOneFileAndTheBestRuns()
    {
        CliRun run = Compile("--target", "x86-64,aarch64");
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        BundleInfo info = BundleInfo.Read(Bundle);
        Assert.That(info.Variants.Select(v => v.Name), Is.EqualTo(new[] { "x86-64-v4", "x86-64-v3", "x86-64-baseline", "aarch64" }));
        string best = info.Variants.First(v => v.WhyNotHere is null).Name;
        foreach (BundleVariantInfo variant in info.Variants)
        {
            var options = new CompiledGraphOptions { Variant = variant.Name };
            if (variant.WhyNotHere is not null)
            {
                Assert.That(Assert.Throws<GraphException>(() => CompiledGraph.Load(Bundle, options))!.Id.Code, Is.EqualTo("GR6103"));
                continue;
            }
            using CompiledGraph graph = CompiledGraph.Load(Bundle, options);
            Literal[] y = graph.Program("step").Run(
                new Dictionary<string, Feed> { ["x"] = new float[] { 1, 1, 1, 1 }, ["cache_in"] = new float[] { 0, 1, 2, 3 } });
            Assert.That(y[1].As<float>().ToArray(), Is.EqualTo(new float[] { 1, 4, 9, 16 }), variant.Name);
        }
        using CompiledGraph chosen = CompiledGraph.Load(Bundle);
        Assert.That(chosen.Variant, Is.EqualTo(best));
    }

    [Test]
    public void GpusOfSeveralKindsAndProcessorsShareAFile()
    {
        string[] options = ["--target", "nvptx:sm_80", "--target", "x86-64-baseline,aarch64", "--target", "nvptx:sm_90a"];
        CliRun run = Compile(options);
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        byte[] bytes = File.ReadAllBytes(Bundle);
        BundleInfo info = BundleInfo.Read(Bundle);
        Assert.That(info.Variants.Select(v => v.Name), Is.EqualTo(new[] { "x86-64-baseline", "aarch64", "sm_90a", "sm_80" }));
        Assert.That(info.Variants.Skip(2).Select(v => v.CpuFeatures), Is.EqualTo(new[] { "sm_90a", "sm_80" }));
        Assert.That(CliRun.Of("verify", Bundle).Exit, Is.EqualTo(ExitCode.Success));
        CliRun inspect = CliRun.Of("inspect", Bundle);
        string[] expected =
        [
            "sm_90a: nvptx64-nvidia-cuda (not here: its code is for GPUs (sm_90a), this is a processor)",
            "sm_80: nvptx64-nvidia-cuda",
        ];
        foreach (string said in expected)
        {
            Assert.That(inspect.Output, Does.Contain(said));
        }
        using (CompiledGraph graph = CompiledGraph.Load(Bundle))
        {
            Assert.That(graph.Variant, Is.EqualTo(info.Variants.First(v => v.WhyNotHere is null).Name));
        }
        Compile(options);
        Assert.That(File.ReadAllBytes(Bundle), Is.EqualTo(bytes), "two compilations give the same bytes");
    }

    [Test]
    public void ABundleOfPtxIsForGpusOfItsKind()
    {
        CliRun compiled = CliRun.Of("compile", Folder.Combine("step.hlo"), "--target", "nvptx:sm_80,nvptx:sm_90a", "-o", Bundle);
        Assert.That(compiled.Exit, Is.EqualTo(ExitCode.Success), compiled.Error);
        CliRun processor = CliRun.Of("run", Bundle, "--random", "1");
        Assert.That(processor.Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(processor.Error, Does.Contain("GR6103").And.Contain("its code is for GPUs (sm_80)"));
        CliRun interpreter = CliRun.Of("run", Bundle, "--random", "1", "--device", "interpreter");
        Assert.That(interpreter.Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(interpreter.Error, Does.Contain("GR6504").And.Contain("its code is Ptx"));
    }

    [Test]
    public void InspectShowsWhatIsInABundle()
    {
        Assert.That(Compile("--state", "cache_in=cache_out", "--target", "x86-64-v3").Exit, Is.EqualTo(ExitCode.Success));
        CliRun run = CliRun.Of("inspect", Bundle);
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Folder.Combine("step.hlo"))));
        foreach (string said in new[]
        {
            "bundle 'model'", "signed by  nobody", "x86-64-v3", "+avx2", $"function step, from sha256:{hash}",
            "in   cache_in: f32[4]   state cache_in",
            "out  cache_out: f32[4]   next state cache_in", "arena", "Constants", "compiler ",
        })
        {
            Assert.That(run.Output, Does.Contain(said));
        }
    }

    [Test]
    public void VerifyAnswersByItsExitStatus()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(Folder.Combine("key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Folder.Combine("pub.pem"), key.ExportSubjectPublicKeyInfoPem());
        File.WriteAllText(Folder.Combine("other.pem"), other.ExportSubjectPublicKeyInfoPem());
        Assert.That(Compile("--sign", Folder.Combine("key.pem")).Exit, Is.EqualTo(ExitCode.Success));

        Assert.That(CliRun.Of("verify", Bundle).Output, Does.Contain("nobody vouches for"));
        CliRun right = CliRun.Of("verify", Bundle, "--key", Folder.Combine("pub.pem"));
        Assert.That(right.Exit, Is.EqualTo(ExitCode.Success), right.Error);
        Assert.That(right.Output, Does.Contain("which you trust"));
        CliRun wrong = CliRun.Of("verify", Bundle, "--key", Folder.Combine("other.pem"));
        Assert.That(wrong.Exit, Is.EqualTo(ExitCode.Negative));
        Assert.That(wrong.Error, Does.Contain("GR6111"));
        Assert.That(CliRun.Of("verify", Bundle, "--key", Bundle).Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(CliRun.Of("verify", Folder.Combine("none.graphene")).Exit, Is.EqualTo(ExitCode.BadInput));

        byte[] bytes = File.ReadAllBytes(Bundle);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(Bundle, bytes);
        CliRun damaged = CliRun.Of("verify", Bundle);
        Assert.That(damaged.Exit, Is.EqualTo(ExitCode.Negative));
        Assert.That(damaged.Error, Does.Contain("GR6102"));
    }

    [Test]
    public void TwoCompilationsGiveTheSameBytes()
    {
        Compile("--target", "x86-64");
        byte[] first = File.ReadAllBytes(Bundle);
        Compile("--target", "x86-64");
        Assert.That(File.ReadAllBytes(Bundle), Is.EqualTo(first));
    }

    [Test]
    public void WhatDoesNotFitIsExplained()
    {
        (string[] Options, string Said)[] cases =
        [
            (["--state", "cache"], "is not INPUT=OUTPUT"),
            (["--state", "cash=cache_out"], "no function has an input 'cash'"),
            (["--state", "cache_in=cash"], "no function has an output 'cash'"),
            (["--sign", Folder.Combine("fill.hlo")], "no private key"),
            (["--freestanding"], "for native code"),
            ([Folder.Combine("fill.hlo")], "has no place"),
        ];
        foreach (var (options, said) in cases)
        {
            CliRun run = Compile(options);
            Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput), said);
            Assert.That(run.Error, Does.Contain(said));
        }
        CliRun none = CliRun.Of("compile", "-o", Bundle);
        Assert.That(none.Error, Does.Contain("the MODEL to compile is missing"));
        CliRun native = CliRun.Of("compile", Folder.Combine("fill.hlo"), "--state", "cache_in=cache_out", "-o", Folder.Combine("model.o"));
        Assert.That(native.Error, Does.Contain("are for bundles"));
        CliRun wasm = CliRun.Of("compile", "--signature", $"fill={Folder.Combine("fill.hlo")}", "-o", Folder.Combine("model.wasm"));
        Assert.That(wasm.Error, Does.Contain("wasm has one function"));
    }

    [Test]
    public void NativeLibrariesHaveSeveralFunctionsToo()
    {
        CliRun run = CliRun.Of(
            "compile", "--signature", $"fill={Folder.Combine("fill.hlo")}", "--signature", $"step={Folder.Combine("step.hlo")}", "-o",
            Folder.Combine("model.o"));
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        Assert.That(File.ReadAllText(Folder.Combine("model.h")), Does.Contain("int model_fill(").And.Contain("int model_step("));
    }

    private CliRun Compile(params string[] options) => CliRun.Of(
    [
        "compile", "--signature", $"fill={Folder.Combine("fill.hlo")}", "--signature", $"step={Folder.Combine("step.hlo")}", "-o", Bundle,
        .. options,
    ]);
}
