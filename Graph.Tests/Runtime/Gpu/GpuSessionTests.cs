using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>Sessions on a device that interprets kernels: everything above the kernels is what runs on a GPU.</summary>
[NonParallelizable] // memory of the process is counted
internal sealed class GpuSessionTests
{
    private static readonly float[] Weights = [.. Enumerable.Range(0, 20).Select(i => MathF.Sin(i))];

    [Test]
    public void AModelWithASymbolicBatchGivesTheReferencesAnswer()
    {
        (Graph graph, Tensor x, Tensor y) = Perceptron();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using var reference = new Session(graph, new ReferenceCompiler());
        foreach (int batch in (int[])[1, 3, 3, 2, 3])
        {
            Feed feed = Feed.Of<float>(Ramp(batch * 4), batch, 4);
            LiteralAssert.AreClose(session.Run(y, (x, feed)), reference.Run(y, (x, feed)), 1e-5, 1e-6, $"batch {batch}");
        }
        Assert.That(session.PlanCount, Is.EqualTo(1));
    }

    [Test]
    public void WorkIsCapturedOnceForAShapeAndReplayed()
    {
        (Graph graph, Tensor x, Tensor y) = Perceptron();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using Callable callable = session.MakeCallable([y], [x]);
        using BoundCall call = callable.Bind([2, 4]);
        call.Run();
        Assert.That(gpu.Device.GraphLaunches, Is.Zero, "what happens once is not worth a graph");
        long launches = gpu.Device.Launches;
        for (int i = 0; i < 5; i++)
        {
            Ramp(8).Select(v => v + i).ToArray().CopyTo(call.Input<float>(0));
            call.Run();
            float[] expected = Expected(graph, x, y, [.. call.Input<float>(0)], 2);
            Assert.That(call.Output<float>(0).ToArray(), Is.EqualTo(expected).Within(1e-5f));
        }
        Assert.That(gpu.Device.GraphLaunches, Is.EqualTo(5));
        Assert.That(gpu.Device.LiveGraphs, Is.EqualTo(1), "one graph serves all runs of a shape");
        Assert.That(gpu.Device.Launches - launches, Is.EqualTo(5 * launches));
    }

    [Test]
    public void MemoryOnTheDeviceIsExactlyWhatWasPredicted()
    {
        (Graph graph, Tensor x, Tensor y) = Perceptron();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using Callable callable = session.MakeCallable([y], [x]);
        Assert.That(gpu.Device.LiveBytes, Is.EqualTo(callable.PredictMemory([1, 4]).Constants).Within(256 * 4), "nothing but constants before a run");
        long constants = gpu.Device.LiveBytes;
        using BoundCall call = callable.Bind([64, 4]);
        call.Run();
        MemoryUse use = callable.PredictMemory([64, 4]);
        Assert.That(gpu.Device.LiveBytes - constants, Is.EqualTo(Align(use.Arena) + Align(use.Inputs) + Align(use.Outputs)));
        callable.Program.Trim();
        Assert.That(gpu.Device.LiveBytes, Is.EqualTo(constants));

        static long Align(long bytes) => (bytes + 255) & ~255;
    }

    [Test]
    public void TrainingStepsLeaveVariablesOnTheDevice()
    {
        var graph = new Graph();
        Variable weights = graph.Variable(Literal.From<float>(Weights.AsSpan(0, 12), 4, 3), "weights");
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(5, 4), "x");
        Tensor target = graph.Placeholder(DType.F32, Shape.Of(5, 3), "target");
        Tensor loss = (x.MatMul(weights.Read()) - target).Square().ReduceMean();
        Operation step = weights.AssignSub(graph.Gradients(loss, [weights])[0] * 0.1f);
        float[] xs = Ramp(20), targets = Ramp(15);

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
            (Tensor, Feed)[] feeds = [(n, rounds), (x, Ramp(7))];
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
        Assert.That(output.ToString().ReplaceLineEndings("\n"), Is.EqualTo("twice f32[3] [2, 4, 6]\ntwice f32[3] [2, 18, 6]\ntwice f32[3] [2, 2, 2]\n"));
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
    public void TensorsOfTheDeviceGoFromCallToCallWithoutCopies()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(6), "x");
        Tensor y = (x * 2) + 1;
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        using Callable callable = session.MakeCallable([y], [x]);
        using var a = new DeviceTensor(gpu.Device, DType.F32, 6);
        using var b = new DeviceTensor(gpu.Device, DType.F32, 6);
        using BoundCall there = callable.Bind(), back = callable.Bind();
        there.UseInput(0, a);
        there.UseOutput(0, b);
        back.UseInput(0, b);
        back.UseOutput(0, a);
        a.Write<float>([0, 1, 2, 3, 4, 5]);
        for (int i = 0; i < 3; i++)
        {
            there.Run();
            back.Run();
        }
        float[] result = new float[6];
        a.Read<float>(result);
        Assert.That(result, Is.EqualTo(Enumerable.Range(0, 6).Select(v => (64f * v) + 63)));
        using var other = new InterpretedGpu();
        using var elsewhere = new DeviceTensor(other, DType.F32, 6);
        Assert.Throws<ArgumentException>(() => there.UseInput(0, elsewhere));
        using var shorter = new DeviceTensor(gpu.Device, DType.F32, 5);
        Assert.Throws<GraphException>(() => there.UseInput(0, shorter));
    }

    [Test]
    public void LargeCopiesAreStagedInPieces()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.U8, ["n"], "x");
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        byte[] bytes = new byte[(9 << 20) + 5];
        new Random(7).NextBytes(bytes);
        Tensor unchanged = x.Reshape(x.Shape);
        Assert.That(session.Run(unchanged, (x, Feed.Of<byte>(bytes))).As<byte>().SequenceEqual(bytes));
    }

    [Test]
    public void EqualWeightsOfTwoPlansAreOnTheDeviceOnce()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(1, 256), "x");
        Tensor w = graph.Constant(Literal.From<float>([.. Enumerable.Range(0, 256 * 128).Select(i => i % 7 * 0.01f)], 256, 128));
        Tensor y = x.MatMul(w);
        Tensor z = y.Tanh();
        using var gpu = new GpuTestSession();
        using (var session = gpu.Open(graph))
        {
            session.Run(y, (x, new float[256]));
            long one = gpu.Device.Constants.Bytes;
            session.Run(z, (x, new float[256]));
            Assert.That(one, Is.GreaterThanOrEqualTo(256 * 128 * sizeof(float)));
            Assert.That(gpu.Device.Constants.Bytes, Is.EqualTo(one));
        }
        Assert.That(gpu.Device.Constants.Bytes, Is.Zero);
    }

    [Test]
    public void TooLittleMemoryIsExplainedAndTheSessionGoesOn()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["n"], "x");
        Tensor y = x.Exp();
        using var gpu = new GpuTestSession(memoryBytes: 1 << 20);
        using var session = gpu.Open(graph);
        session.Run(y, (x, new float[100]));
        var error = Assert.Throws<GraphException>(() => session.Run(y, (x, new float[1 << 20])));
        Assert.That(error!.Id, Is.EqualTo(GpuDiagnostics.OutOfMemory));
        Assert.That(error.Message, Does.Contain("8.0 MiB").And.Contain("4.0 MiB input 'x'").And.Contain("output"));
        Assert.That(session.Run(y, (x, new float[2]))[1].AsDouble, Is.EqualTo(1));
    }

    [Test]
    public void RunsSideBySideHaveMemoryOfTheirOwn()
    {
        (Graph graph, Tensor x, Tensor y) = Perceptron();
        using var gpu = new GpuTestSession();
        using var session = gpu.Open(graph);
        float[][] inputs = [.. Enumerable.Range(0, 24).Select(i => Ramp(8).Select(v => v * (i + 1)).ToArray())];
        float[][] expected = [.. inputs.Select(i => Expected(graph, x, y, i, 2))];
        Parallel.For(0, inputs.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            Assert.That(
                session.Run(y, (x, Feed.Of<float>(inputs[i], 2, 4))).As<float>().ToArray(), Is.EqualTo(expected[i]).Within(1e-4f)));
    }

    [Test]
    public void AProfileTellsTheTimeOfEachKernel()
    {
        (Graph graph, Tensor x, Tensor y) = Perceptron();
        using var gpu = new GpuTestSession();
        using GraphProgram program = gpu.Compiler.Compile(graph.ToModule([y]), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, default);
        var profile = new KernelProfile(maxEvents: 100);
        for (int i = 0; i < 3; i++)
        {
            program.Run(new Dictionary<string, Feed> { ["x"] = Feed.Of<float>(Ramp(8), 2, 4) }, new RunOptions { Profile = profile });
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

    private static (Graph Graph, Tensor X, Tensor Y) Perceptron()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 4], "x");
        Tensor hidden = (x.MatMul(graph.Constant(Literal.From<float>(Weights, 4, 5))) + graph.Constant(Weights[..5])).Relu();
        Tensor y = hidden.MatMul(graph.Constant(Literal.From<float>(Weights.AsSpan(0, 15), 5, 3))).Softmax();
        return (graph, x, y.Named("y"));
    }

    private static float[] Expected(Graph graph, Tensor x, Tensor y, float[] input, int batch)
    {
        using var reference = new Session(graph, new ReferenceCompiler());
        return reference.Run(y, (x, Feed.Of<float>(input, batch, 4))).As<float>().ToArray();
    }

    private static float[] Ramp(int count) => [.. Enumerable.Range(0, count).Select(i => (i - 3) * 0.25f)];
}
