using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Plans;

/// <summary>Loops that run at the same time: the bits of loops one after the other, and an end when the caller wants one.</summary>
[TestFixture]
internal sealed class SideBySideTests
{
    private static readonly EntryStep.SideBySide TwoLoops = new([LoopOf("first"), LoopOf("second")]);

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    public void ThreadsAndRepetitionsChangeNoBit(int threads)
    {
        Module module = Layers(Dim.Symbol("time", 1, 64));
        using var pool = new ComputePool(threads);
        using var session = new Session(
            module, new CompiledModule.Uncached(), new SessionOptions { MaxThreads = threads, Pool = pool });
        foreach (long rounds in new long[] { 1, 9 })
        {
            Literal x = LoopPairs.Whole(new TensorType(DType.F32, Shape.Of(rounds, 4, LoopPairs.Width)), 5);
            Literal start = LoopPairs.Whole(LoopPairs.State, 6);
            Literal[]? expected = null;
            for (int i = 0; i < 40; i++)
            {
                Literal[] found = session.Run(
                    module.OutputNames, new Dictionary<string, Feed> { ["x0"] = x, ["x1"] = start });
                expected ??= Evaluator.Evaluate(Layers(rounds).Entry, [x, start]);
                Assert.That(found, Is.EqualTo(expected), $"{rounds} rounds, run {i}");
            }
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task BothStopWhenTheRunIsCancelled(int threads)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [32, 32], "x");
        Tensor Endless(float factor) => graph.While(
            [graph.Constant(0), x * factor],
            p => p[0].Less(graph.Constant(2_000_000_000)),
            p => [p[0] + 1, p[1].MatMul(p[1]).Tanh()])[1];
        Tensor both = Endless(1) + Endless(2);
        Tensor other = x + 1;
        using var session = new Session(graph, new CompiledModule.Uncached(), new SessionOptions { MaxThreads = threads });
        Feed feed = Feed.Of<float>(new float[1024], 32, 32);
        using var source = new CancellationTokenSource();
        Task<Literal[]> run = session.RunAsync([both], [(x, feed)], null, source.Token);
        await Task.Delay(600);
        Assert.That(run.IsCompleted, Is.False);
        source.Cancel();
        await Assert.CatchAsync<OperationCanceledException>(() => run);
        Assert.That(session.Run(other, (x, feed)).As<float>()[0], Is.EqualTo(1));
    }

    [Test]
    public void GradientsThroughBothAreThoseOfTheEvaluator()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [8, 48], "x");
        Tensor w = graph.Placeholder(DType.F32, [48, 48], "w");
        Tensor scaled = w * 0.125f; // Where tanh is nearly 1, its slope is what the last bit says.
        Tensor Unrolled(float factor) => graph.While(
            [graph.Constant(0), x * factor, scaled], p => p[0].Less(graph.Constant(4)),
            p => [p[0] + 1, (p[1].MatMul(p[2]) + p[1]).Tanh(), p[2]])[1];
        Tensor loss = (Unrolled(0.5f) * Unrolled(0.25f)).ReduceSum();
        Module module = graph.ToModule([.. graph.Gradients([loss], [x, w])], [x, w]);
        Literal[] arguments =
            [.. module.Entry.ParameterTypes.Select((t, i) => Optimizing.Random(t, i + 1, special: false))];
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        Literal[] alone = CompiledModule.Run(module, arguments, threads: 1);
        Literal[] shared = CompiledModule.Run(module, arguments, threads: 2);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreClose(alone[i], expected[i], 1e-4, 1e-4, $"gradient {i}");
            LiteralAssert.AreEqual(shared[i], alone[i], $"gradient {i}");
        }
    }

    [Test]
    public void LoopsAreTasksOfAFunctionWhereCallsMayNest()
    {
        string text = Print(EntryOptions.Default);
        Assert.That(text, Does.Contain("define internal void @run_loops_"));
        Assert.That(text, Does.Contain("switch i64 %task, label %exit [i64 0, label %task_0 i64 1, label %task_1]"));
        foreach (EntryOptions options in (EntryOptions[])
            [new() { NestsCalls = false }, new() { IsParallel = false }, new() { IsProfiled = true }])
        {
            Assert.That(Print(options), Does.Not.Contain("_loops_").And.Contain("@first").And.Contain("@second"), $"{options}");
        }
    }

    private static Module Layers(Dim time) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, [time, 4, LoopPairs.Width]));
        Node start = b.Parameter(1, LoopPairs.State);
        Node[] below = [.. LoopPairs.Direction(b, x, start, 1), .. LoopPairs.Direction(b, x, start, 2, backwards: true)];
        Node between = b.Add(below[0], below[2]);
        return
        [
            .. LoopPairs.Direction(b, between, below[1], 3),
            .. LoopPairs.Direction(b, between, below[3], 4, backwards: true),
            below[1],
        ];
    });

    private static string Print(EntryOptions options) => EntryPrinter.Print("run", [TwoLoops], _ => 0, options);

    private static EntryStep.Loop LoopOf(string kernel) => new(
        [], new BufferRef(0), [new EntryStep.Call(kernel, [new BufferRef(1)], KBuilder.Value(1), IsWorthSplitting: false)]);
}
