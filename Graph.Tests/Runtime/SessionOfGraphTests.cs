using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>Graphs written in C#, run as a user runs them.</summary>
internal sealed class SessionOfGraphTests
{
    [Test]
    public void VariablesKeepTheirValuesBetweenRuns()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([10], 1), "counter");
        Operation increment = counter.Assign(counter.Read() + 1);
        Tensor read = counter.Read();
        using var session = new Session(graph, new CompiledModule.Uncached());
        for (int i = 1; i <= 3; i++)
        {
            session.Run([], [], [increment]);
            Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(10 + i));
        }
        Assert.That(session.Run(read)[0].AsDouble, Is.GreaterThanOrEqualTo(13));
    }

    [Test]
    public void AnInteriorTensorCanBeFed()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(2), "x");
        Tensor inner = x * 3;
        Tensor y = inner + 1;
        using var session = new Session(graph, new CompiledModule.Uncached());
        Assert.That(session.Run(y, (inner, new float[] { 5, 6 })).As<float>().ToArray(), Is.EqualTo(new float[] { 6, 7 }));
    }

    [Test]
    public void ATrainingStepRunsInPlaceWithoutAllocating()
    {
        var graph = new Graph();
        Variable weights = graph.Variable(Literal.From<float>([1, 2, 3], 3), "weights");
        Tensor gradient = graph.Placeholder(DType.F32, Shape.Of(3), "gradient");
        Operation step = weights.AssignSub(gradient * 0.5f);
        Tensor after = weights.Read();
        using var session = new Session(graph, new ReferenceCompiler());
        using Callable call = session.MakeCallable([after], [gradient], [step]);
        float[] result = new float[3];
        call.Run<float, float>([2, 2, 2], result);
        call.Run<float, float>([0, 2, 4], result);
        Assert.That(result, Is.EqualTo(new float[] { 0, 0, 0 }));
        Assert.That(session.ValueOf(weights).As<float>().ToArray(), Is.EqualTo(new float[] { 0, 0, 0 }));
        session.Assign(weights, Literal.From<float>([7, 7, 7], 3));
        call.Run<float, float>([0, 0, 0], result);
        Assert.That(result, Is.EqualTo(new float[] { 7, 7, 7 }));
        Assert.That(call.Inputs.Length + call.Outputs.Length, Is.EqualTo(2), "variables are not passed");
    }

    [Test]
    public void CompiledTrainingStepsAllocateNothing()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([0], 1), "counter");
        Tensor delta = graph.Placeholder(DType.F32, Shape.Of(1), "delta");
        Operation step = counter.AssignAdd(delta);
        Tensor after = counter.Read();
        using var session = new Session(graph, new CompiledModule.Uncached());
        using Callable call = session.MakeCallable([after], [delta], [step]);
        float[] one = [1];
        float[] result = new float[1];
        for (int i = 0; i < 100; i++)
        {
            call.Run<float, float>(one, result);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            call.Run<float, float>(one, result);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(result[0], Is.EqualTo(10_100));
    }

    [Test]
    public void ConcurrentStepsAreNotLost()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([0], 1), "counter");
        Operation step = counter.AssignAdd(graph.Constant(new float[] { 1 }));
        using var session = new Session(graph, new ReferenceCompiler());
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => session.Run([], [], [step]));
        Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(400));
        Assert.That(session.PlanCount, Is.EqualTo(1));
    }

    [Test]
    public async Task ACancelledRunChangesNoVariable()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([3], 1), "counter");
        Operation step = counter.AssignAdd(graph.Constant(new float[] { 1 }));
        using var session = new Session(graph, new ReferenceCompiler());
        session.Run([], [], [step]);
        await Assert.CatchAsync<OperationCanceledException>(
            () => session.RunAsync([], [], [step], new CancellationToken(canceled: true)));
        Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(4));
        await session.RunAsync([], [], [step]);
        Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(5));
    }

    [Test]
    public void EveryMissIsExplainedAndPlansAreBounded()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(2), "x");
        Tensor y = x + 1;
        Tensor z = y * 2;
        var log = new RecordingLogger();
        using var session = new Session(
            graph, new ReferenceCompiler(), new SessionOptions { Logger = log, MaxPlans = 2 });
        session.Run(y, (x, new float[2]));
        session.Run(y, (x, new float[2]));
        session.Run(z, (x, new float[2]));
        session.Run(z, (y, new float[2]));
        session.Run(y, (x, new float[2]));
        string[] causes = [.. log.Messages.Where(m => m.StartsWith("Compiling", StringComparison.Ordinal))];
        Assert.That(causes, Has.Length.EqualTo(4));
        Assert.That(causes[0], Does.Contain("first plan"));
        Assert.That(causes[1], Does.Contain("its fetches differ"));
        Assert.That(causes[2], Does.Contain("its feeds differ"));
        Assert.That(causes[3], Does.Contain("dropped to make room"));
        Assert.That(session.PlanCount, Is.EqualTo(2));
    }

    [Test]
    public void VariablesAreFreedWithTheSession()
    {
        long before = NativeBlock.LiveBytes;
        var graph = new Graph();
        Variable v = graph.Variable(Literal.From<float>(new float[100], 100), "v");
        Operation step = v.AssignAdd(v.Read());
        using (var session = new Session(graph, new ReferenceCompiler()))
        {
            session.Run([], [], [step]);
            Assert.That(NativeBlock.LiveBytes - before, Is.EqualTo(800));
        }
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before));
    }
}
