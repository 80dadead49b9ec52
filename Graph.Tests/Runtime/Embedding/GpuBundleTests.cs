using System.Buffers.Binary;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>
/// Bundles with code for several GPUs, and for the processor beside: which is loaded, what runs, and
/// that every byte counts.
/// </summary>
[NonParallelizable]
internal sealed class GpuBundleTests
{
    private static readonly float[] Ones = [1, 1, 1, 1, 1, 1, 1, 1];
    private static readonly Lazy<byte[]> Mixed = new(() => BundleFixture.Bytes(BundleFixture.Chat(
        [("host", BundleFixture.Compile), ("sm_90a", For(90)), ("sm_80", For(80))])));

    private static readonly Lazy<byte[]> GpusOnly = new(() => BundleFixture.Bytes(BundleFixture.Chat(
        [("sm_90a", For(90)), ("sm_80", For(80))])));

    [TestCase(null, "host")]
    [TestCase(80, "sm_80")]
    [TestCase(86, "sm_80")]
    [TestCase(90, "sm_90a")]
    [TestCase(100, "sm_80")]
    public void TheBestVariantThatCanRunIsLoaded(int? architecture, string variant)
    {
        using InterpretedGpu? gpu = architecture is { } number ? new InterpretedGpu(number) : null;
        using (CompiledGraph graph = CompiledGraph.Load(Mixed.Value, new CompiledGraphOptions { Gpu = gpu }))
        {
            Assert.That(graph.Variant, Is.EqualTo(variant));
            using GraphState mine = graph.CreateState();
            using GraphState yours = graph.CreateState();
            Assert.That(BundleFixture.Run(mine.Program("prefill"), Ones), Is.EqualTo(new float[] { 36 }));
            Assert.That(BundleFixture.Run(mine.Program("decode"), Ones), Is.EqualTo(new float[] { 2, 6, 12, 20, 30, 42, 56, 72 }));
            Assert.That(BundleFixture.Run(yours.Program("decode"), Ones), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6, 7, 8 }), "from zeros");
            using GraphState fork = mine.Fork();
            BundleFixture.Run(fork.Program("decode"), Ones);
            Assert.That(fork.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 42 }));
            Assert.That(mine.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 41 }));
            mine.Write("calls", Literal.From<int>([7], []));
            Assert.That(mine.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 7 }));
            mine.Reset();
            Assert.That(mine.Read("calls").As<int>().ToArray(), Is.EqualTo(new[] { 40 }));
            Assert.That((gpu?.Launches ?? 1) > 0, "something runs there");
        }
        gpu?.Dispose();
        Assert.That(gpu?.LiveAllocations ?? 0, Is.Zero, "memory of the device leaks");
        Assert.That(gpu?.LiveHandles ?? 0, Is.Zero, "modules leak");
    }

    [Test]
    public void WhatAGpuLacksIsNamed()
    {
        using var old = new InterpretedGpu(75);
        Assert.That(
            Refused(GpusOnly.Value, old, GpuDiagnostics.WrongDevice),
            Does.Contain("sm_90a: its code is for sm_90a alone, this is sm_75; sm_80: its code is for sm_80, this is sm_75"));
        Assert.That(
            Refused(Mixed.Value, old, GpuDiagnostics.WrongDevice, "sm_90a"),
            Does.Contain("its code is for sm_90a alone, this is sm_75").And.Not.Contain("sm_80:"));
        using var gpu = new InterpretedGpu();
        Assert.That(Refused(BundleFixture.ChatBundle, gpu, GpuDiagnostics.WrongDevice), Does.Contain("its code is for"));
        Assert.That(
            Refused(Mixed.Value, gpu, GpuDiagnostics.WrongDevice, "sm_70"),
            Does.Contain("there is no variant 'sm_70', only host, sm_90a, sm_80"));
    }

    [Test]
    public void AProcessorIsToldThatCodeIsForGpus()
    {
        GraphException e = Assert.Throws<GraphException>(() => CompiledGraph.Load(GpusOnly.Value))!;
        Assert.That(e.Id, Is.EqualTo(RuntimeDiagnostics.WrongProcessor));
        Assert.That(e.What, Does.Contain("sm_90a: its code is for GPUs (sm_90a), this is a processor"));
        Assert.That(e.Fix, Does.Contain("CompiledGraphOptions.Gpu"));
    }

    [Test]
    public void TextOfPtxIsNotForTheInterpreter()
    {
        GpuCompiler compiler = GraphCompiler.For(new GpuTarget(80));
        byte[] bytes = BundleFixture.Bytes(BundleFixture.Chat(
            [("sm_80", module => compiler.Compile(module, NullLogger.Instance, CancellationToken.None))]));
        using var gpu = new InterpretedGpu();
        Assert.That(Refused(bytes, gpu, GpuDiagnostics.WrongDevice), Does.Contain("its code is Ptx, the device takes KernelText"));
        Assert.That(gpu.LiveAllocations, Is.Zero);
        Assert.That(gpu.LiveHandles, Is.Zero);
    }

    [Test]
    public void TwoCompilationsGiveTheSameBytes()
    {
        GpuCompiler Ptx(int architecture, bool isExact) => GraphCompiler.For(new GpuTarget(architecture, isExact));
        BundleContent Content() => BundleFixture.Chat(
        [
            ("sm_90a", m => Ptx(90, true).Compile(m, NullLogger.Instance, CancellationToken.None)),
            ("sm_80", m => Ptx(80, false).Compile(m, NullLogger.Instance, CancellationToken.None)),
        ]);
        Assert.That(BundleFixture.Bytes(Content()), Is.EqualTo(BundleFixture.Bytes(Content())));
    }

    [Test]
    public void EveryByteIsNoticed()
    {
        using var gpu = new InterpretedGpu();
        byte[] bytes = [.. Mixed.Value];
        var random = new Random(4);
        for (int i = 0; i < bytes.Length; i += 3)
        {
            byte flip = (byte)(1 << random.Next(8));
            bytes[i] ^= flip;
            GraphException e = Assert.Throws<GraphException>(() => Load(bytes, gpu), $"byte {i} of {bytes.Length}")!;
            Assert.That(e.Id, Is.EqualTo(RuntimeDiagnostics.BadExecutable));
            bytes[i] ^= flip;
        }
        Load(bytes, gpu);
        Assert.That(gpu.LiveHandles, Is.Zero);
    }

    // Whoever can write the file can write its hashes: index and plans must hold for themselves.
    [Test]
    public void ForgedIndexesAndPlansAreRefusedOrSound()
    {
        using var gpu = new InterpretedGpu();
        int[] values = [0, 1, 63, 4095, 1 << 20, int.MaxValue, -1, int.MinValue];
        var random = new Random(5);
        int refused = 0;
        int cases = 0;
        IEnumerable<FileSection> described = BundleForger.Sections(GpusOnly.Value)
            .Where(s => s.Kind is FileSectionKind.Index or FileSectionKind.Plan);
        foreach (FileSection section in described)
        {
            for (int i = 0; i < 200; i++)
            {
                byte[] bytes = [.. GpusOnly.Value];
                int at = (int)section.Offset + random.Next((int)section.Length - 4);
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), values[random.Next(values.Length)]);
                BundleForger.Rehash(bytes);
                cases++;
                try
                {
                    Load(bytes, gpu);
                }
                catch (GraphException)
                {
                    refused++;
                }
            }
        }
        Assert.That(refused, Is.GreaterThan(cases / 4));
        Assert.That(gpu.LiveAllocations, Is.Zero, "what was refused leaves nothing behind");
        Assert.That(gpu.LiveHandles, Is.Zero);
    }

    private static Func<Module, Executable> For(int architecture) => module =>
    {
        using var device = new InterpretedGpu(architecture);
        return GraphCompiler.Gpu(device).Compile(module, NullLogger.Instance, CancellationToken.None);
    };

    private static void Load(byte[] bytes, GpuDevice gpu) => CompiledGraph.Load(bytes, new CompiledGraphOptions { Gpu = gpu }).Dispose();

    private static string Refused(byte[] bytes, GpuDevice gpu, DiagnosticId id, string? variant = null)
    {
        GraphException e = Assert.Throws<GraphException>(
            () => CompiledGraph.Load(bytes, new CompiledGraphOptions { Gpu = gpu, Variant = variant }))!;
        Assert.That(e.Id, Is.EqualTo(id));
        return e.What;
    }
}
