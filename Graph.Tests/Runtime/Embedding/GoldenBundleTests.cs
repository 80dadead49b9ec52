using System.Runtime.InteropServices;
using Graphene.Codegen.Aot;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Bundles that were written long ago load for ever.</summary>
/// <remarks>One file for each version of the format; GRAPHENE_BLESS=1 writes that of the present version if it is not there.</remarks>
internal sealed class GoldenBundleTests
{
    private static readonly string Folder = RepositoryRoot.Combine("Graph.Tests", "Runtime", "Embedding", "Versions");

    [Test]
    public void EveryVersionHasABundle()
    {
        string path = Path.Combine(Folder, $"v{FileLayout.Version}.graphene");
        if (GoldenFile.Blesses && !File.Exists(path))
        {
            Write(path);
        }
        for (int version = FileLayout.OldestVersion; version <= FileLayout.Version; version++)
        {
            Assert.That(
                Path.Combine(Folder, $"v{version}.graphene"), Does.Exist,
                "a new version needs a bundle: GRAPHENE_BLESS=1 writes it");
        }
    }

    [Test]
    public void OldBundlesRun()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Assert.Ignore("the bundles hold code for x86-64");
        }
        foreach (string path in Directory.GetFiles(Folder, "*.graphene"))
        {
            BundleInfo info = BundleInfo.Read(path);
            Assert.That(info.Variants.Select(v => v.Name), Is.EqualTo(new[] { "v3", "baseline" }), path);
            foreach (string? variant in new[] { null, "baseline" })
            {
                using CompiledGraph graph = CompiledGraph.Load(path, new CompiledGraphOptions { Variant = variant });
                using GraphState state = graph.CreateState();
                float[] fill = BundleFixture.Run(state.Program("fill"), [.. Enumerable.Range(0, 12).Select(i => (float)i)]);
                Assert.That(fill, Is.EqualTo(new float[] { 4, 13, 22, 31 }), path);
                float[] step = BundleFixture.Run(state.Program("step"), 1, 1, 1);
                Assert.That(step, Is.EqualTo(new float[] { 5, 14, 23, 32 }), path);
            }
        }
    }

    // Products with weights, a symbolic batch, and a state that one function writes and the other reads.
    private static void Write(string path)
    {
        var graph = new Graph();
        Tensor weights = graph.Constant(Literal.From<float>([1, 1, 1], 3, 1));
        Variable memory = graph.Variable(Literal.From<float>(new float[4], 4, 1), "memory");
        Tensor rows = graph.Placeholder(DType.F32, [4, 3], "rows");
        Tensor row = graph.Placeholder(DType.F32, ["batch", 3], "row");
        Tensor product = rows.MatMul(weights) + 1;
        LoweredGraph fill = graph.Lower([product.Named("filled")], [rows], [memory.Assign(product)]);
        LoweredGraph step = graph.Lower([(memory.Read() + row.MatMul(weights).ReduceSum() - 2).Named("y")], [row]);
        AotTarget target = AotTarget.Parse("x86-64");
        BundleFunction Function(string name, LoweredGraph lowered) => new(name,
        [
            .. target.Compilers().Zip(target.Variants).Where(p => p.Second.Name != "v4").Reverse().Select(
                p => new BundleCode(p.Second.Name, p.First.Compile(lowered.Module, NullLogger.Instance, CancellationToken.None))),
        ])
        { States = BundleStateUse.Of(lowered) };
        Directory.CreateDirectory(Folder);
        new BundleContent { Name = "golden", Functions = [Function("fill", fill), Function("step", step)] }.WriteFile(path);
    }
}
