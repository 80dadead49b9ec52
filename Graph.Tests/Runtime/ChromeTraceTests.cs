using System.Text.Json;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

internal sealed class ChromeTraceTests
{
    [Test]
    public void EachKernelCallIsAnEventWithItsOpsAndLines()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [64, 32], "x");
        Tensor w = graph.Placeholder(DType.F32, [32, 16], "w");
        Module module = graph.ToModule([x.MatMul(w).Tanh().Softmax().Named("y")], [x, w]);
        Executable executable = GraphCompiler.Cpu(new GraphCompilerOptions { IsProfiled = true }).Compile(
            module, NullLogger.Instance, CancellationToken.None);
        using NativeProgram program = NativeProgram.Load(executable);
        var profile = new KernelProfile(maxEvents: 1000);
        var feeds = new Dictionary<string, Feed> { ["x"] = new float[64 * 32], ["w"] = new float[32 * 16] };
        for (int run = 0; run < 3; run++)
        {
            program.Run(feeds, new RunOptions { Profile = profile });
        }
        using var stream = new MemoryStream();
        ChromeTrace.Write(stream, program.Plan, profile);

        using JsonDocument trace = JsonDocument.Parse(stream.ToArray());
        JsonElement[] events = [.. trace.RootElement.GetProperty("traceEvents").EnumerateArray()];
        JsonElement[] complete = [.. events.Where(e => e.GetProperty("ph").GetString() == "X")];
        JsonElement[] kernels = [.. complete.Where(e => e.GetProperty("tid").GetInt32() == 2)];
        JsonElement[] runs = [.. complete.Where(e => e.GetProperty("tid").GetInt32() == 1)];
        Assert.Multiple(() =>
        {
            Assert.That(kernels, Has.Length.EqualTo(3 * program.Plan.Kernels.Length));
            Assert.That(runs, Has.Length.EqualTo(3));
            Assert.That(
                kernels.Select(k => k.GetProperty("args").GetProperty("source").GetString()),
                Has.Some.Contains("tanh").And.Some.Contains("ChromeTraceTests.cs:17"));
            Assert.That(kernels.Select(k => k.GetProperty("name").GetString()), Has.None.Contains("ChromeTraceTests"));
            Assert.That(kernels.Select(k => k.GetProperty("dur").GetDouble()), Is.All.GreaterThanOrEqualTo(0));
            Assert.That(kernels.Select(k => k.GetProperty("ts").GetDouble()), Is.Ordered);
        });
    }

    [Test]
    public void OnlySoManyEventsAreKept()
    {
        var profile = new KernelProfile(maxEvents: 3);
        for (int i = 0; i < 5; i++)
        {
            profile.BeginRun();
            profile.Mark(-1);
            profile.Mark(-2);
        }

        Assert.That(profile.Events.Select(e => e.Run), Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That(profile.Calls(0), Is.EqualTo(5));
        profile.Clear();
        Assert.That(profile.Events, Is.Empty);
    }
}
