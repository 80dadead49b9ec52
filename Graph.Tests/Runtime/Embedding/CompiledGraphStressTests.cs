using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Many runs, loads and disposals, by many threads: nothing leaks, nothing is confused, nobody dies.</summary>
/// <remarks><c>GRAPHENE_STRESS=10</c> does ten times as much of everything.</remarks>
[NonParallelizable]
internal sealed class CompiledGraphStressTests : FolderFixture
{
    private static readonly int Times =
        int.TryParse(Environment.GetEnvironmentVariable("GRAPHENE_STRESS"), CultureInfo.InvariantCulture, out int times) ? times : 1;

    private string _path = "";

    [SetUp]
    public void MakeBundle()
    {
        _path = Folder.Combine("chat.graphene");
        File.WriteAllBytes(_path, BundleFixture.ChatBundle);
    }

    [Test]
    public void RunsLoadsAndDisposalsLeaveNothing()
    {
        RunLoadsAndRuns(100, 1000);
        Collect();
        long live = NativeBlock.LiveBytes;
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        long resident = Environment.WorkingSet;
        RunLoadsAndRuns(200 * Times, 20_000 * Times);
        Collect();
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(live));
        long growth = Environment.WorkingSet - resident;
        TestContext.Out.WriteLine(
            $"{200 * Times} loads and {20_000 * Times} runs: {growth} bytes, "
                + $"{GC.GetTotalMemory(forceFullCollection: true) - managed} of them managed");
        Assert.That(growth, Is.LessThan(16 << 20));
    }

    [Test]
    public void WhatIsDroppedWithoutDisposalIsFreedByTheCollector()
    {
        Collect();
        long live = NativeBlock.LiveBytes;
        Drop(100 * Times);
        for (int i = 0; i < 10 && NativeBlock.LiveBytes != live; i++)
        {
            Collect();
        }
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(live));
    }

    [Test]
    public void DisposalDuringRunsEndsThemOrRefusesThem()
    {
        const int Threads = 8;
        using var barrier = new Barrier(Threads + 1);
        int trials = 200 * Times;
        CompiledGraph? graph = null;
        int finished = 0;
        int refused = 0;
        Exception? unexpected = null;
        float[] x = [1, 1, 1, 1, 1, 1, 1, 1];
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(n => new Thread(() =>
        {
            for (int trial = 0; trial < trials; trial++)
            {
                barrier.SignalAndWait();
                try
                {
                    using GraphState state = graph!.CreateState();
                    float[] y = BundleFixture.Run(state.Program("decode"), x);
                    Interlocked.Increment(ref finished);
                    if (y is not [1, 2, 3, 4, 5, 6, 7, 8])
                    {
                        throw new InvalidOperationException(string.Join(' ', y));
                    }
                }
                catch (ObjectDisposedException)
                {
                    Interlocked.Increment(ref refused);
                }
                catch (Exception e)
                {
                    unexpected = e;
                }
                barrier.SignalAndWait();
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Collect();
        long live = NativeBlock.LiveBytes;
        var random = new Random(5);
        for (int trial = 0; trial < trials; trial++)
        {
            graph = CompiledGraph.Load(BundleFixture.ChatBundle);
            barrier.SignalAndWait();
            Thread.SpinWait(random.Next(3000));
            graph.Dispose();
            barrier.SignalAndWait();
        }
        Array.ForEach(threads, t => t.Join());
        TestContext.Out.WriteLine($"{trials} trials: {finished} runs finished, {refused} were refused");
        Assert.That(unexpected, Is.Null);
        Assert.That(finished + refused, Is.EqualTo(trials * Threads));
        Assert.That(NativeBlock.LiveBytes, Is.EqualTo(live));
    }

    [Test]
    public void ManyThreadsGetTheSerialAnswers()
    {
        using CompiledGraph graph = CompiledGraph.Load(BundleFixture.Bytes(BundleFixture.Scale(1.5f)));
        using Callable call = graph.Program().MakeCallable();
        int threads = 2 * Environment.ProcessorCount;
        int runs = 100_000 / threads;
        int wrong = 0;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, n =>
        {
            float[] x = new float[4];
            float[] y = new float[4];
            for (int i = 0; i < runs; i++)
            {
                for (int k = 0; k < 4; k++)
                {
                    x[k] = (n * 1e6f) + (i * 4) + k;
                }
                call.Run<float, float>(x, y);
                for (int k = 0; k < 4; k++)
                {
                    if (BitConverter.SingleToInt32Bits(y[k]) != BitConverter.SingleToInt32Bits(x[k] * (k < 3 ? 1.5f : 2.5f)))
                    {
                        Interlocked.Increment(ref wrong);
                    }
                }
            }
        });
        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void RunsOverOneStateHappenOneAfterTheOther()
    {
        using CompiledGraph graph = CompiledGraph.Load(_path);
        using GraphState state = graph.CreateState();
        const int Runs = 1000;
        Parallel.For(0, 4, _ =>
        {
            using Callable call = state.Program("decode").MakeCallable();
            using BoundCall bound = call.Bind();
            for (int i = 0; i < Runs; i++)
            {
                bound.Run();
            }
        });
        Assert.That(state.Read("calls").As<int>()[0], Is.EqualTo(40 + (4 * Runs)));
    }

    [Test]
    public async Task CancellationComesSoonAndChangesNothing()
    {
        using CompiledGraph graph = CompiledGraph.Load(BundleFixture.Bytes(Endless()));
        using GraphState state = graph.CreateState();
        GraphProgram program = state.Program();
        var latencies = new List<double>();
        for (int i = 0; i < 20 * Times; i++)
        {
            using var source = new CancellationTokenSource();
            Task<Literal[]> run = program.RunAsync(new Dictionary<string, Feed> { ["n"] = long.MaxValue }, cancellation: source.Token);
            await Task.Delay(5);
            long start = Stopwatch.GetTimestamp();
            await source.CancelAsync();
            Assert.That(async () => await run, Throws.InstanceOf<OperationCanceledException>());
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        double[] sorted = [.. latencies.Order()];
        double median = sorted[sorted.Length / 2];
        TestContext.Out.WriteLine(
            $"{sorted.Length} runs cancelled: median {median:F1} ms, "
                + $"p99 {sorted[(sorted.Length * 99 / 100) - 1]:F1} ms, "
                + $"at most {sorted[^1]:F1} ms");
        Assert.That(median, Is.LessThan(50), "the worst of them waits for whoever else uses the machine");
        Assert.That(state.Read("rounds").As<long>()[0], Is.EqualTo(7), "a cancelled run assigns nothing");
        Literal[] answer = program.Run(new Dictionary<string, Feed> { ["n"] = 5L });
        Assert.That(answer[0].As<long>()[0], Is.EqualTo(5));
        Assert.That(state.Read("rounds").As<long>()[0], Is.EqualTo(12));

        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.Throws<OperationCanceledException>(
            () => program.Run(new Dictionary<string, Feed> { ["n"] = long.MaxValue }, cancellation: cancelled.Token), "never begins");
        Assert.That(
            program.RunAsync(new Dictionary<string, Feed> { ["n"] = 1L }, cancellation: cancelled.Token).IsCanceled, "never starts");
    }

    // Counts to n, and adds the count to its state.
    private static BundleContent Endless()
    {
        var graph = new Graph();
        Tensor n = graph.Placeholder(DType.I64, [], "n");
        Variable rounds = graph.Variable(Literal.From<long>([7], []), "rounds");
        Tensor[] result = graph.While(
            [graph.Constant(Literal.From<long>([0], []))], state => state[0].Less(n), state => [state[0] + 1]);
        LoweredGraph lowered = graph.Lower([result[0].Named("count")], [n], [rounds.AssignAdd(result[0])]);
        return new BundleContent { Name = "endless", Functions = [BundleFixture.Function("run", lowered)] };
    }

    private void RunLoadsAndRuns(int loads, int runs)
    {
        float[] x = new float[8];
        for (int i = 0; i < loads; i++)
        {
            using CompiledGraph graph = CompiledGraph.Load(_path);
            using GraphState state = graph.CreateState();
            using Callable call = state.Program("prefill").MakeCallable();
            float[] sum = new float[1];
            for (int k = 0; k < runs / loads; k++)
            {
                call.Run<float, float>(x, sum);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Drop(int count)
    {
        for (int i = 0; i < count; i++)
        {
            CompiledGraph graph = CompiledGraph.Load(_path);
            BundleFixture.Run(graph.CreateState().Program("decode"), 1, 1, 1, 1, 1, 1, 1, 1);
        }
    }

    // What the collector keeps for later is given back, too: it is no leak, and some tens of megabytes.
    private static void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
