using System.Security.Cryptography;
using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Runtime.Embedding;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/bundles.md</summary>
internal sealed class BundlesGuideTests : FolderFixture
{
    [Test]
    public void Hello()
    {
        string path = Folder.Combine("scale.graphene");
        BundleFixture.Scale(3).WriteFile(path);
        TextWriter console = Console.Out;
        using var printed = new StringWriter();
        Console.SetOut(printed);
        try
        {
            // snippet
            using CompiledGraph graph = CompiledGraph.Load(path);
            using Callable scale = graph.Program().MakeCallable();
            float[] y = new float[4];
            scale.Run<float, float>([1, 2, 3, 4], y);
            Console.WriteLine(string.Join(", ", y));
            // end
        }
        finally
        {
            Console.SetOut(console);
        }
        Assert.That(printed.ToString().Trim(), Is.EqualTo("3, 6, 9, 16"));
    }

    [Test]
    public void Gpu()
    {
        string path = Folder.Combine("chat.graphene");
        using var gpu = new InterpretedGpu();
        BundleFixture.Chat(
        [
            ("host", BundleFixture.Compile),
            ("sm_90a", m => GraphCompiler.Gpu(gpu).Compile(m, NullLogger.Instance, CancellationToken.None)),
        ]).WriteFile(path);

        // snippet
        using CompiledGraph graph = CompiledGraph.Load(path, new CompiledGraphOptions { Gpu = gpu });
        string chosen = graph.Variant; // sm_90a on an H100, sm_80 on other GPUs since 2020
        // end
        Assert.That(chosen, Is.EqualTo("sm_90a"));
    }

    [Test]
    public void State()
    {
        string path = Folder.Combine("chat.graphene");

        // snippet
        var graph = new Graph();
        Variable cache = graph.Variable(Literal.From<float>(new float[8], 8), "cache");
        Tensor x = graph.Placeholder(DType.F32, [8], "x");
        LoweredGraph prefill = graph.Lower([x.ReduceSum()], [x], [cache.Assign(x)]);
        LoweredGraph decode = graph.Lower([(cache.Read() + x).Named("y")], [x]);

        GraphCompiler compiler = GraphCompiler.Cpu();
        BundleFunction Function(string name, LoweredGraph lowered) =>
            new(name, [new BundleCode("host", compiler.Compile(lowered.Module, NullLogger.Instance, default))])
            {
                States = BundleStateUse.Of(lowered),
            };
        var content = new BundleContent { Name = "chat", Functions = [Function("prefill", prefill), Function("decode", decode)] };
        content.WriteFile(path);
        // end

        // snippet
        using CompiledGraph chat = CompiledGraph.Load(path);
        using GraphState mine = chat.CreateState();
        using GraphState yours = chat.CreateState();
        mine.Program("prefill").Run(new Dictionary<string, Feed> { ["x"] = new float[] { 1, 2, 3, 4, 5, 6, 7, 8 } });
        Literal y = mine.Program("decode").Run(new Dictionary<string, Feed> { ["x"] = new float[8] })[0];
        using GraphState fork = mine.Fork();
        mine.Reset();
        // end
        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }));
        Assert.That(yours.Read("cache").As<float>().ToArray(), Is.All.Zero);
        Assert.That(fork.Read("cache").As<float>()[7], Is.EqualTo(8));
        Assert.That(mine.Read("cache").As<float>().ToArray(), Is.All.Zero);
    }

    [Test]
    public void Trust()
    {
        string path = Folder.Combine("signed.graphene");
        string keyPath = Folder.Combine("pub.pem");
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        BundleFixture.Scale(3).WriteFile(path, key);
        File.WriteAllText(keyPath, key.ExportSubjectPublicKeyInfoPem());

        // snippet
        var options = new CompiledGraphOptions { TrustedKeys = [File.ReadAllText(keyPath)] };
        using CompiledGraph graph = CompiledGraph.Load(path, options);
        // end
        Assert.That(graph.SignedBy, Is.Not.Null);
    }
}
