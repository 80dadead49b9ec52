using System.Text.Json;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>Tensor maps are part of plans and files, and are made for the addresses and shapes of each run, captured or not.</summary>
[NonParallelizable] // memory of the process is counted
internal sealed class TensorMapTests
{
    // So many that warpgroups are expected to be faster.
    private const int Features = 512;

    [Test]
    public void MapsFollowAddressesAndShapes()
    {
        (Graph graph, Tensor x, Tensor w, Tensor y) = TwoProducts();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var reference = new Session(graph, GraphCompiler.Cpu());
        // What comes up the second time is captured; other rows move what follows.
        foreach ((int rows, int seed) in new[] { (70, 1), (70, 1), (70, 2), (9, 3), (9, 3), (9, 4), (70, 5) })
        {
            Feed left = Noise(seed, rows, Features), right = Noise(seed + 100, Features, Features);
            LiteralAssert.AreClose(
                session.Run(y, (x, left), (w, right)), reference.Run(y, (x, left), (w, right)),
                0.02, 0.2, $"{rows} rows, {seed}");
        }
        Assert.That(gpu.Device.GraphLaunches, Is.GreaterThan(0));
    }

    [Test]
    public void PlansSayWhichBuffersHaveMaps()
    {
        ExecutablePlan plan = Compiled();
        GpuStep.Launch[] launches = [.. plan.Gpu!.Steps.OfType<GpuStep.Launch>().Where(l => !l.Maps.IsEmpty)];
        Assert.That(launches, Has.Length.EqualTo(2));
        GpuTensorMap left = launches[0].Maps[0];
        Assert.Multiple(() =>
        {
            Assert.That(plan.Buffers[left.Buffer].Kind, Is.EqualTo(BufferKind.Parameter));
            Assert.That(left.Element, Is.EqualTo(DType.BF16));
            Assert.That(left.Sizes.Select(s => s.ToString()), Is.EqualTo(new[] { "512", "rows" }));
            Assert.That(left.StridesInBytes.Single().Value, Is.EqualTo(1024));
            Assert.That(left.Box[0], Is.EqualTo(64));
            Assert.That(left.IsSwizzled, Is.True);
            Assert.That(plan.Gpu.Kernels[launches[0].Kernel].Parameters[^2..], Is.All.EqualTo(GpuParameter.TensorMap));
        });
        ObjectCode[] objects = [new ObjectCode("kernels", new byte[] { 1 })];
        byte[] bytes = PlanWriter.Write(plan, objects);
        ExecutablePlan read = PlanReader.Read(bytes, out _);
        Assert.That(PlanWriter.Write(read, objects), Is.EqualTo(bytes));
        Assert.That(read.Gpu!.Steps.OfType<GpuStep.Launch>().Sum(l => l.Maps.Length), Is.EqualTo(4));
    }

    [Test]
    public void PlansWithImpossibleMapsAreRefused()
    {
        ExecutablePlan plan = Compiled();
        GpuPlan gpu = plan.Gpu!;
        GpuStep.Launch launch = gpu.Steps.OfType<GpuStep.Launch>().First(l => !l.Maps.IsEmpty);
        GpuTensorMap map = launch.Maps[0];
        (GpuTensorMap[] Maps, string Problem)[] cases =
        [
            ([], "takes 2 tensor maps behind everything else, not 0"),
            ([map, map with { Buffer = 1 << 20 }], "there is no such buffer"),
            ([map, map with { Sizes = [] }], "a map has 1 to 5 dimensions, not 0"),
            ([map, map with { Box = [300, 8] }], "1 to 256 elements"),
            ([map, map with { Box = [32, 8] }], "swizzled lines have 128 bytes, not 64"),
            ([map, map with { RoundsToTensorFloat32 = true }], "bf16 is not rounded to TF32"),
            ([map, map with { Element = DType.C64 }], "there are no maps of c64"),
        ];
        foreach ((GpuTensorMap[] maps, string problem) in cases)
        {
            ExecutablePlan changed = plan with { Gpu = gpu with { Steps = [launch with { Maps = [.. maps] }] } };
            Assert.That(PlanVerifier.Check(changed, 1 << 20), Does.Contain(problem));
        }
    }

    [Test]
    public void JsonBesidePtxListsThem()
    {
        (Graph graph, _, _, Tensor y) = TwoProducts(4096);
        (_, string launches) = PtxFiles.Compile(
            graph.ToModule([y]), AotTarget.Parse("nvptx:sm_90a"), NullLogger.Instance);
        using JsonDocument json = JsonDocument.Parse(launches);
        JsonElement[] maps =
        [
            .. json.RootElement.GetProperty("steps").EnumerateArray().Where(s => s.TryGetProperty("tensor_maps", out _))
                .SelectMany(s => s.GetProperty("tensor_maps").EnumerateArray()),
        ];
        Assert.That(maps, Has.Length.EqualTo(4));
        Assert.Multiple(() =>
        {
            Assert.That(maps[0].GetProperty("element").GetString(), Is.EqualTo("bf16"));
            Assert.That(maps[0].GetProperty("sizes").EnumerateArray().Select(s => s.GetString()), Is.EqualTo(new[] { "4096", "rows" }));
            Assert.That(maps[0].GetProperty("strides_bytes").EnumerateArray().Select(s => s.GetString()), Is.EqualTo(new[] { "8192" }));
            Assert.That(maps[0].GetProperty("box")[0].GetInt32(), Is.EqualTo(64));
            Assert.That(maps[0].GetProperty("swizzle_bytes").GetInt32(), Is.EqualTo(128));
        });
        Assert.That(launches, Does.Contain("\"tensor_map\""));
    }

    private static ExecutablePlan Compiled()
    {
        (Graph graph, _, _, Tensor y) = TwoProducts();
        using Executable executable = GraphCompiler.Gpu(new InterpretedGpu()).Compile(graph.ToModule([y]), NullLogger.Instance, default);
        return executable.Plan;
    }

    private static (Graph Graph, Tensor X, Tensor W, Tensor Y) TwoProducts(int features = Features)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.BF16, Shape.From([Dim.Symbol("rows", 1, 512), features]), "x");
        Tensor w = graph.Placeholder(DType.BF16, Shape.Of(features, features), "w");
        return (graph, x, w, x.MatMul(w).MatMul(w).Named("y"));
    }

    private static Feed Noise(int seed, int rows, int columns)
    {
        var random = new Random(seed);
        return Feed.Of<BFloat16>(
            Enumerable.Range(0, rows * columns).Select(_ => (BFloat16)(((2 * random.NextSingle()) - 1) / 8)).ToArray(), rows, columns);
    }
}
