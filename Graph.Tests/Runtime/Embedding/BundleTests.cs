using System.Security.Cryptography;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Bundles as they are written, loaded and run.</summary>
[NonParallelizable]
internal sealed class BundleTests : FolderFixture
{
    private static readonly float[] Ones = [1, 1, 1, 1, 1, 1, 1, 1];

    [Test]
    public void AFileAStreamAndBytesGiveTheSameGraph()
    {
        BundleContent content = BundleFixture.Scale(3);
        string path = Folder.Combine("scale.graphene");
        content.WriteFile(path);
        byte[] bytes = File.ReadAllBytes(path);
        Assert.That(BundleFixture.Bytes(content), Is.EqualTo(bytes), "the same content gives the same bytes");
        using CompiledGraph ofFile = CompiledGraph.Load(path);
        using CompiledGraph ofStream = CompiledGraph.Load(new MemoryStream(bytes));
        using CompiledGraph ofBytes = CompiledGraph.Load(bytes);
        foreach (CompiledGraph graph in new[] { ofFile, ofStream, ofBytes })
        {
            Assert.That(BundleFixture.Run(graph.Program(), 1, 2, 3, 4), Is.EqualTo(new float[] { 3, 6, 9, 16 }));
            Assert.That(graph.Name, Is.EqualTo("scale"));
            Assert.That(graph.Variant, Is.EqualTo("host"));
            Assert.That(graph.CompilerVersion, Is.Not.Empty);
            Assert.That(graph.SignedBy, Is.Null);
        }
    }

    [Test]
    public void FunctionsShareStateAndStatesShareNothing()
    {
        using CompiledGraph graph = CompiledGraph.Load(BundleFixture.ChatBundle);
        Assert.That(graph.Signatures, Is.EqualTo(new[] { "prefill", "decode" }));
        using GraphState mine = graph.CreateState();
        using GraphState yours = graph.CreateState();
        Assert.That(mine.Names, Is.EquivalentTo(new[] { "cache", "calls" }));

        Assert.That(BundleFixture.Run(mine.Program("prefill"), Ones), Is.EqualTo(new float[] { 36 }));
        Assert.That(BundleFixture.Run(mine.Program("decode"), Ones), Is.EqualTo(new float[] { 2, 6, 12, 20, 30, 42, 56, 72 }));
        Assert.That(BundleFixture.Run(yours.Program("decode"), Ones), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }), "from zeros");
        Assert.That(mine.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 41 }));

        using GraphState fork = mine.Fork();
        BundleFixture.Run(fork.Program("decode"), Ones);
        Assert.That(fork.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 42 }));
        Assert.That(mine.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 41 }));

        mine.Reset();
        Assert.That(mine.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 40 }));
        Assert.That(mine.Read("cache").As<float>().ToArray(), Is.All.Zero);
        mine.Write("cache", Literal.From<float>([0, 1, 2, 3, 4, 5, 6, 7], 8));
        Assert.That(BundleFixture.Run(mine.Program("decode"), new float[8]), Is.EqualTo(new float[] { 0, 2, 6, 12, 20, 30, 42, 56 }));
    }

    [Test]
    public void AFunctionWithStateIsNotRunWithoutOne()
    {
        using CompiledGraph graph = CompiledGraph.Load(BundleFixture.ChatBundle);
        Assert.That(Code(() => graph.Program("decode")), Is.EqualTo("GR6114"));
        Assert.That(Code(() => graph.Program("encode")), Is.EqualTo("GR6113"));
        using GraphState state = graph.CreateState();
        Assert.That(Code(() => state.Read("keys")), Is.EqualTo("GR6116"));
        Assert.That(Code(() => state.Write("calls", Literal.From<float>([1]))), Is.EqualTo("GR6116"));
    }

    [Test]
    public void StepsOverAStateAllocateNothing()
    {
        using CompiledGraph graph = CompiledGraph.Load(BundleFixture.ChatBundle);
        using GraphState state = graph.CreateState();
        using Callable call = state.Program("decode").MakeCallable();
        using BoundCall bound = call.Bind();
        Ones.CopyTo(bound.Input<float>(0));
        for (int i = 0; i < 100; i++)
        {
            bound.Run();
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            bound.Run();
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(bound.Output<int>(1)[0], Is.EqualTo(40 + 10_100));
    }

    [Test]
    public void EqualConstantsAreStoredOnce()
    {
        float[] weights = [.. Enumerable.Range(0, 64 * 256).Select(i => MathF.Sin(i))];
        BundleFunction Model(string name, int rows)
        {
            var graph = new Graph();
            Tensor x = graph.Placeholder(DType.F32, [rows, 64], "x");
            return BundleFixture.Function(name, graph.Lower([x.MatMul(graph.Constant(Literal.From<float>(weights, 64, 256)))]));
        }

        BundleFunction prefill = Model("prefill", 32);
        BundleFunction decode = Model("decode", 16);
        int one = BundleFixture.Bytes(new BundleContent { Name = "m", Functions = [prefill] }).Length;
        int two = BundleFixture.Bytes(new BundleContent { Name = "m", Functions = [prefill, decode] }).Length;
        Assert.That(two - one, Is.LessThan(weights.Length * sizeof(float) / 2), "the weights are there once");

        var content = new BundleContent { Name = "m", Functions = [prefill, decode] };
        using CompiledGraph graph = CompiledGraph.Load(BundleFixture.Bytes(content));
        float[] x = [.. Enumerable.Range(0, 32 * 64).Select(i => MathF.Cos(i))];
        float[] all = BundleFixture.Run(graph.Program("prefill"), x);
        Assert.That(BundleFixture.Run(graph.Program("decode"), x[..1024]), Is.EqualTo(all[..4096]), "and right for both");
    }

    [Test]
    public void SignedBundlesAreLoadedForThoseWhoTrustTheSigner()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        BundleContent content = BundleFixture.Scale(2);
        byte[] signed = BundleFixture.Bytes(content, key);
        var trusting = new CompiledGraphOptions
        {
            TrustedKeys = [other.ExportSubjectPublicKeyInfoPem(), key.ExportSubjectPublicKeyInfoPem()],
        };
        var strangers = new CompiledGraphOptions { TrustedKeys = [other.ExportSubjectPublicKeyInfoPem()] };
        using (CompiledGraph graph = CompiledGraph.Load(signed, trusting))
        {
            Assert.That(BundleFixture.Run(graph.Program(), 1, 2, 3, 4), Is.EqualTo(new float[] { 2, 4, 6, 12 }));
            Assert.That(graph.SignedBy, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))));
        }
        CompiledGraph.Load(signed).Dispose();
        Assert.That(Code(() => CompiledGraph.Load(signed, strangers)), Is.EqualTo("GR6111"));
        Assert.That(Code(() => CompiledGraph.Load(BundleFixture.Bytes(content), trusting)), Is.EqualTo("GR6110"));
        Assert.That(
            Code(() => CompiledGraph.Load(signed, new CompiledGraphOptions { TrustedKeys = ["no key"] })), Is.EqualTo("GR6112"));
    }

    [Test]
    public void PartsThatContradictEachOtherMakeNoBundle()
    {
        BundleContent scale = BundleFixture.Scale(2);
        BundleFunction run = scale.Functions[0];
        BundleFunction elsewhere = BundleFixture.Scale(2, "elsewhere").Functions[0] with { Name = "b" };
        Literal one = Literal.From<float>([1, 1, 1, 1], 4);
        Literal two = Literal.From<float>([2, 2, 2, 2], 4);
        BundleFunction Using(string name, Literal initial) => run with { Name = name, States = [new BundleStateUse("s", initial, 0, 0)] };
        BundleFunction[][] cases = [[], [run, run], [run, elsewhere], [Using("a", one), Using("b", two)]];
        foreach (BundleFunction[] functions in cases)
        {
            Assert.That(Code(() => BundleFixture.Bytes(scale with { Functions = functions })), Is.EqualTo("GR6115"));
        }
    }

    [Test]
    public void WhatWasVerifiedNeedNotBeReadAgain()
    {
        string path = Folder.Combine("scale.graphene");
        BundleFixture.Scale(3).WriteFile(path);
        var stamping = new CompiledGraphOptions { TakesStamp = true };
        using CompiledGraph first = CompiledGraph.Load(path, stamping);
        if (first.FileStamp is null)
        {
            // Files that were just written have none yet, and some file systems never give one.
            Thread.Sleep(2100);
        }
        using CompiledGraph second = CompiledGraph.Load(path, stamping);
        using CompiledGraph third = CompiledGraph.Load(path, new CompiledGraphOptions { VerifiedStamp = second.FileStamp });
        Assert.That(third.FileStamp, Is.EqualTo(second.FileStamp));
        using CompiledGraph unread = CompiledGraph.Load(path, new CompiledGraphOptions { VerifyConstants = false });
        Assert.That(unread.FileStamp, Is.Null, "nobody vouches for constants that were not verified");
        Assert.That(BundleFixture.Run(third.Program(), 1, 2, 3, 4), Is.EqualTo(new float[] { 3, 6, 9, 16 }));
    }

    [Test]
    public void OptionsReachTheRuns()
    {
        using CompiledGraph graph = CompiledGraph.Load(
            BundleFixture.ChatBundle, new CompiledGraphOptions { MaxThreads = 1, Pool = new ComputePool(2), Variant = "host" });
        using GraphState state = graph.CreateState();
        Assert.That(state.Program("decode").DefaultOptions.MaxThreads, Is.EqualTo(1));
        var other = new CompiledGraphOptions { Variant = "z80" };
        Assert.That(Code(() => CompiledGraph.Load(BundleFixture.ChatBundle, other)), Is.EqualTo("GR6103"));
    }

    [Test]
    public void EverythingIsFreed()
    {
        string path = Folder.Combine("chat.graphene");
        File.WriteAllBytes(path, BundleFixture.ChatBundle);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = NativeBlock.LiveBytes;
        CompiledGraph graph = CompiledGraph.Load(path);
        GraphState state = graph.CreateState();
        BundleFixture.Run(state.Program("decode"), Ones);
        graph.Dispose();
        graph.Dispose();
        state.Dispose();
        state.Dispose();
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before));
        Assert.Throws<ObjectDisposedException>(() => graph.CreateState());
        Assert.Throws<ObjectDisposedException>(() => BundleFixture.Run(state.Program("decode"), Ones));
    }

    private static string Code(Func<object> action) => Assert.Throws<GraphException>(() => action())!.Id.Code;

    private static string Code(Action action) => Assert.Throws<GraphException>(() => action())!.Id.Code;
}
