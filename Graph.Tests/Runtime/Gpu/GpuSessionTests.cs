using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>Sessions on a device that interprets kernels: everything above the kernels is what runs on a GPU.</summary>
[NonParallelizable] // memory of the process is counted
internal sealed class GpuSessionTests
{
    [Test]
    public void AModelWithASymbolicBatchGivesTheReferencesAnswer()
    {
        (Graph graph, Tensor x, Tensor y) = GpuPerceptron.Create();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var reference = new Session(graph, new ReferenceCompiler());
        foreach (int batch in (int[])[1, 3, 3, 2, 3])
        {
            Feed feed = Feed.Of<float>(GpuPerceptron.Ramp(batch * 4), batch, 4);
            LiteralAssert.AreClose(session.Run(y, (x, feed)), reference.Run(y, (x, feed)), 1e-5, 1e-6, $"batch {batch}");
        }
        Assert.That(session.PlanCount, Is.EqualTo(1));
    }

    [Test]
    public void WorkIsCapturedOnceForAShapeAndReplayed()
    {
        (Graph graph, Tensor x, Tensor y) = GpuPerceptron.Create();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using Callable callable = session.MakeCallable([y], [x]);
        using BoundCall call = callable.Bind([2, 4]);
        call.Run();
        Assert.That(gpu.Device.GraphLaunches, Is.Zero, "what happens once is not worth a graph");
        long launches = gpu.Device.Launches;
        for (int i = 0; i < 5; i++)
        {
            GpuPerceptron.Ramp(8).Select(v => v + i).ToArray().CopyTo(call.Input<float>(0));
            call.Run();
            float[] expected = GpuPerceptron.Expected(graph, x, y, [.. call.Input<float>(0)], 2);
            Assert.That(call.Output<float>(0).ToArray(), Is.EqualTo(expected).Within(1e-5f));
        }
        Assert.That(gpu.Device.GraphLaunches, Is.EqualTo(5));
        Assert.That(gpu.Device.LiveGraphs, Is.EqualTo(1), "one graph serves all runs of a shape");
        Assert.That(gpu.Device.Launches - launches, Is.EqualTo(5 * launches));
    }

    [Test]
    public void TrainingStepsLeaveVariablesOnTheDevice()
    {
        var graph = new Graph();
        Variable weights = graph.Variable(Literal.From<float>(GpuPerceptron.Weights.AsSpan(0, 12), 4, 3), "weights");
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(5, 4), "x");
        Tensor target = graph.Placeholder(DType.F32, Shape.Of(5, 3), "target");
        Tensor loss = (x.MatMul(weights.Read()) - target).Square().ReduceMean();
        Operation step = weights.AssignSub(graph.Gradients(loss, [weights])[0] * 0.1f);
        float[] xs = GpuPerceptron.Ramp(20), targets = GpuPerceptron.Ramp(15);

        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var processor = new Session(graph, new CompiledModule.Uncached());
        for (int i = 0; i < 6; i++)
        {
            Literal[] losses = [.. new[] { session, processor }.Select(s => s.Run([loss], [(x, xs), (target, targets)], [step])[0])];
            LiteralAssert.AreClose(losses[0], losses[1], 1e-5, 1e-7, $"step {i}");
        }
        LiteralAssert.AreClose(session.ValueOf(weights), processor.ValueOf(weights), 1e-5, 1e-6);
        Assert.That(gpu.Device.GraphLaunches, Is.GreaterThan(0));
        Assert.That(gpu.Device.LiveGraphs, Is.LessThanOrEqualTo(2), "values go back and forth between two places");

        var ones = Literal.From<float>([.. Enumerable.Repeat(1f, 12)], 4, 3);
        session.Assign(weights, ones);
        LiteralAssert.AreEqual(session.ValueOf(weights), ones);
    }

    [Test]
    public void RandomNumbersAreTheProcessors()
    {
        var graph = new Graph();
        Variable state = graph.Variable(Literal.From<ulong>([42, 0], 2), "state");
        (Tensor next, Tensor values) = graph.RandomNormal(state.Read(), Shape.Of(3, 37));
        Operation advance = state.Assign(next);
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var processor = new Session(graph, new CompiledModule.Uncached());
        for (int i = 0; i < 3; i++)
        {
            LiteralAssert.AreEqual(session.Run([values], [], [advance])[0], processor.Run([values], [], [advance])[0], $"run {i}");
        }
        LiteralAssert.AreEqual(session.ValueOf(state), processor.ValueOf(state));
    }

    [Test]
    public void LoopsAndBranchesFollowValuesOfTheDevice()
    {
        var graph = new Graph();
        Tensor n = graph.Placeholder(DType.I32, [], "n");
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(7), "x");
        Tensor[] looped = graph.While(
            [graph.Constant(0), x],
            p => p[0].Less(n),
            p =>
            {
                Tensor[] inner = graph.While([graph.Constant(0), p[1]], q => q[0].Less(p[0]), q => [q[0] + 1, (q[1] * 0.5f) + 1]);
                return [p[0] + 1, graph.Cond(inner[1].ReduceSum().Greater(3), () => inner[1] - 1, () => inner[1] + 0.25f)];
            });
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var reference = new Session(graph, new ReferenceCompiler());
        foreach (int rounds in (int[])[0, 1, 4, 4])
        {
            (Tensor, Feed)[] feeds = [(n, rounds), (x, GpuPerceptron.Ramp(7))];
            LiteralAssert.AreClose(session.Run(looped[1], feeds), reference.Run(looped[1], feeds), 1e-6, 1e-7, $"{rounds} rounds");
        }
    }

    [Test]
    public void TheHostIsAskedInOrderAndAFailedAssertionChangesNothing()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(3), "x");
        Variable sum = graph.Variable(Literal.From<float>([0, 0, 0], 3), "sum");
        Tensor twice = x * 2;
        Operation print = graph.Print("twice", [twice]);
        Operation check = graph.Assert(twice.Less(10).ReduceAll(), "too large");
        Operation add = sum.AssignAdd(twice);
        var output = new StringWriter();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph, new SessionOptions { PrintOutput = output });
        session.Run([], [(x, new float[] { 1, 2, 3 })], [print, check, add]);
        var error = Assert.Throws<GraphException>(() => session.Run([], [(x, new float[] { 1, 9, 3 })], [print, check, add]));
        Assert.That(error!.Message, Does.Contain("too large"));
        Assert.That(session.ValueOf(sum).As<float>().ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
        session.Run([], [(x, new float[] { 1, 1, 1 })], [print, check, add]);
        Assert.That(session.ValueOf(sum).As<float>().ToArray(), Is.EqualTo(new float[] { 4, 6, 8 }));
        Assert.That(
            output.ToString().ReplaceLineEndings("\n"),
            Is.EqualTo("twice f32[3] [2, 4, 6]\ntwice f32[3] [2, 18, 6]\ntwice f32[3] [2, 2, 2]\n"));
    }

    [Test]
    public void ACancelledRunEndsBetweenStepsAndChangesNoVariable()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([3], 1), "counter");
        Tensor[] endless = graph.While([graph.Constant(0f)], p => p[0].Less(1e30f), p => [p[0] + 1]);
        Operation step = counter.AssignAdd(endless[0].Reshape(Shape.Of(1)));
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        Assert.Catch<OperationCanceledException>(() => session.Run([], [], [step], source.Token));
        Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(3));
    }

    [Test]
    public void AProfileTellsTheTimeOfEachKernel()
    {
        (Graph graph, Tensor x, Tensor y) = GpuPerceptron.Create();
        using var gpu = new GpuTestSession();
        using GraphProgram program = gpu.Compiler.Compile(
            graph.ToModule([y]), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, default);
        var profile = new KernelProfile(maxEvents: 100);
        for (int i = 0; i < 3; i++)
        {
            program.Run(
                new Dictionary<string, Feed> { ["x"] = Feed.Of<float>(GpuPerceptron.Ramp(8), 2, 4) },
                new RunOptions { Profile = profile });
        }
        int kernels = ((GpuProgram)program).Plan.Kernels.Length;
        Assert.That(profile.Count, Is.EqualTo(kernels));
        Assert.That(Enumerable.Range(0, kernels).Select(profile.Calls), Is.All.EqualTo(3));
        Assert.That(Enumerable.Range(0, kernels).Select(profile.Elapsed), Is.All.GreaterThan(TimeSpan.Zero));
        Assert.That(profile.Events, Has.Count.EqualTo(3 * kernels));
    }

    [Test]
    public void ValuesThatAreNotFiniteAreFound()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(3), "x");
        Tensor y = (x - 1).Log() * 2;
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph, new SessionOptions { DebugNumerics = true });
        Assert.That(session.Run(y, (x, new float[] { 3, 2, 4 }))[1].AsDouble, Is.Zero.Within(1e-6));
        var error = Assert.Throws<GraphException>(() => session.Run(y, (x, new float[] { 3, 2, 1 })));
        Assert.That(error!.Id, Is.EqualTo(RuntimeDiagnostics.NotFinite));
    }
}
