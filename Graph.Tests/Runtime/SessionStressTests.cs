using System.Diagnostics;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

/// <summary>Sessions under threads, eviction, cancellation and disposal at the wrong moment.</summary>
[TestFixture]
internal sealed class SessionStressTests
{
    [Test]
    public void RunsOfEvictedPlansFinishRight()
    {
        const int Plans = 3;
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["n"], "x");
        Tensor[] outputs = [.. Enumerable.Range(0, Plans).Select(i => ((x * (i + 1)) + 1).Named($"y{i}"))];
        long before = NativeBlock.LiveBytes;
        using (var session = new Session(graph, new CompiledModule.Uncached(), new SessionOptions { MaxPlans = 1 }))
        {
            RunAll(t =>
            {
                for (int i = 0; i < 12; i++)
                {
                    int plan = (t + i) % Plans;
                    float[] y = session.Run(outputs[plan], (x, Ramp(100 + t))).As<float>().ToArray();
                    Assert.That(y, Is.EqualTo(Ramp(100 + t).Select(v => (v * (plan + 1)) + 1)));
                }
            });
            Assert.That(session.PlanCount, Is.EqualTo(1));
        }
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(before), "evicted plans were freed");
    }

    [Test]
    public void AssignmentsOfConcurrentRunsWithEvictionAreNotLost()
    {
        var graph = new Graph();
        Variable counter = graph.Variable(Literal.From<float>([0], 1), "counter");
        Tensor amount = graph.Placeholder(DType.F32, Shape.Of(1), "amount");
        Operation[] steps = [counter.AssignAdd(amount), counter.AssignSub(amount * -1)];
        Tensor value = counter.Read();
        using var session = new Session(graph, new ReferenceCompiler(), new SessionOptions { MaxPlans = 1 });
        RunAll(t =>
        {
            for (int i = 0; i < 100; i++)
            {
                session.Run([], [(amount, new float[] { 1 })], [steps[(t + i) % 2]]);
                Assert.That(session.Run(value)[0].AsDouble, Is.InRange(1, 400));
            }
        });
        Assert.That(session.ValueOf(counter)[0].AsDouble, Is.EqualTo(400));
    }

    // Who cancels has a thread of its own: those of the pool may all be waiting for something else.
    [TestCase(1)]
    [TestCase(2)]
    public void ALongKernelIsCancelledWithin50Milliseconds(int threads)
    {
        const int Size = 4096; // a third of a second on two fast cores, ten times the longest delay
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(Size, Size), "x");
        Tensor y = x.MatMul(x.Tanh());
        using var session = new Session(graph, new CompiledModule.Uncached(), new SessionOptions { MaxThreads = threads });
        Feed feed = Feed.Of<float>(Ramp(Size * Size), Size, Size);
        Literal whole = session.Run(y, (x, feed)); // compiles
        var latencies = new List<double>();
        for (int i = 0; i < 3; i++)
        {
            using var source = new CancellationTokenSource();
            long start = 0;
            int delay = 20 + (10 * i);
            var canceller = new Thread(() =>
            {
                Thread.Sleep(delay);
                start = Stopwatch.GetTimestamp();
                source.Cancel();
            });
            Task<Literal[]> run = session.RunAsync([y], [(x, feed)], null, source.Token);
            canceller.Start();
            try
            {
                Literal[] result = run.GetAwaiter().GetResult();
                Assert.That(result[0].Bytes.Span.SequenceEqual(whole.Bytes.Span), "a run that says it finished has finished");
            }
            catch (OperationCanceledException)
            {
                latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            canceller.Join();
        }
        Assert.That(latencies, Is.Not.Empty, "the product takes longer than the delays");
        Assert.That(latencies.Min(), Is.LessThan(50), $"latencies: {string.Join(", ", latencies)} ms");
        Assert.That(session.Run(y, (x, feed)).Bytes.Span.SequenceEqual(whole.Bytes.Span), "the session works as before");
    }

    [Test]
    public async Task ARunThatWaitsForAnotherIsCancelledToo()
    {
        var graph = new Graph();
        Variable v = graph.Variable(Literal.From<float>([0], 1), "v");
        Operation slow = graph.Group(v.Assign(graph.While(
            [graph.Constant(0), v.Read()], p => p[0].Less(graph.Constant(2_000_000_000)), p => [p[0] + 1, p[1] + 1])[1]));
        Operation quick = v.Assign(graph.Constant(new float[] { 7 }));
        using var session = new Session(graph, new CompiledModule.Uncached());
        session.Run([], [], [quick]); // compiles
        using var stopSlow = new CancellationTokenSource();
        Task<Literal[]> running = session.RunAsync([], [], [slow], stopSlow.Token);
        await Task.Delay(1500); // long enough to compile it
        Assert.That(running.IsCompleted, Is.False);
        using var stopQuick = new CancellationTokenSource();
        Task<Literal[]> waiting = session.RunAsync([], [], [quick], stopQuick.Token);
        await Task.Delay(30);
        stopQuick.Cancel();
        await Assert.CatchAsync<OperationCanceledException>(() => waiting);
        Assert.That(running.IsCompleted, Is.False, "only the run that waited was stopped");
        stopSlow.Cancel();
        await Assert.CatchAsync<OperationCanceledException>(() => running);
        Assert.That(session.ValueOf(v)[0].AsDouble, Is.EqualTo(7));
    }

    [Test]
    public async Task WaitingForSomebodyElsesCompilationCanBeCancelled()
    {
        using var gate = new ManualResetEventSlim();
        var compiler = new SlowCompiler(gate);
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(1), "x");
        Tensor y = x + 1;
        using var session = new Session(graph, compiler);
        Task<Literal[]> first = session.RunAsync([y], [(x, new float[1])]);
        compiler.Started.Wait();
        using var source = new CancellationTokenSource(20);
        await Assert.CatchAsync<OperationCanceledException>(() => session.RunAsync([y], [(x, new float[1])], null, source.Token));
        gate.Set();
        Assert.That((await first)[0][0].AsDouble, Is.EqualTo(1));
        Assert.That(session.Run(y, (x, new float[] { 1 }))[0].AsDouble, Is.EqualTo(2));
        Assert.That(compiler.Count, Is.EqualTo(1));
    }

    [Test]
    public void ACallableOutlivesItsSessionsPlansButNotItsVariables()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, Shape.Of(1), "x");
        Variable v = graph.Variable(Literal.From<float>([5], 1), "v");
        var session = new Session(graph, new CompiledModule.Uncached());
        using Callable plain = session.MakeCallable([x + 1], [x]);
        using Callable withVariable = session.MakeCallable([x + v.Read()], [x]);
        session.Dispose();
        float[] result = new float[1];
        plain.Run<float, float>([2], result);
        Assert.That(result[0], Is.EqualTo(3));
        Assert.Throws<ObjectDisposedException>(() => withVariable.Run<float, float>([2], result));
        Assert.Throws<ObjectDisposedException>(() => session.Run(x + 1, (x, new float[1])));
        Assert.Throws<ObjectDisposedException>(() => session.ValueOf(v));
    }

    [Test]
    public void NamesServeAGraphAndTensorsOnlyAGraph()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["n"], "x");
        Tensor y = (x * 2).Named("y");
        using var session = new Session(graph, new ReferenceCompiler());
        Assert.That(session.Run("y", new Dictionary<string, Feed> { ["x"] = new float[] { 4 } })[0].AsDouble, Is.EqualTo(8));
        Assert.That(session.MakeCallable(["y"]).Inputs.Single().Name, Is.EqualTo("x"));
        Assert.That(
            Assert.Throws<GraphException>(() => session.Run("z", new Dictionary<string, Feed>()))!.Id,
            Is.EqualTo(RuntimeDiagnostics.UnknownFetch));
        Assert.That(
            Assert.Throws<GraphException>(() => session.Run("y", new Dictionary<string, Feed> { ["w"] = 1f }))!.Id,
            Is.EqualTo(RuntimeDiagnostics.BadFeed));

        using var ofModule = new Session(graph.Lower([y], null, []).Module, new ReferenceCompiler());
        GraphException e = Assert.Throws<GraphException>(() => ofModule.Run(y, (x, new float[1])))!;
        Assert.That(e.Id, Is.EqualTo(RuntimeDiagnostics.UnknownFetch));
        Assert.That(e.Message, Does.Contain("tensor 'y'").And.Contain("by the names"));
    }

    private static float[] Ramp(int count) => [.. Enumerable.Range(0, count).Select(i => (i % 97) / 97f)];

    // On four threads that start together; what one throws is thrown here.
    private static void RunAll(Action<int> action)
    {
        using var start = new Barrier(4);
        Task.WaitAll([
            .. Enumerable.Range(0, 4).Select(t => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    action(t);
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
        ]);
    }

    private sealed class SlowCompiler(ManualResetEventSlim gate) : IGraphCompiler
    {
        private int _count;

        public int Count => _count;

        public ManualResetEventSlim Started { get; } = new();

        public string Device => "slow";

        public GraphProgram Compile(Module module, ILogger logger, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _count);
            Started.Set();
            gate.Wait(cancellation);
            return new ReferenceCompiler().Compile(module, logger, cancellation);
        }
    }
}
