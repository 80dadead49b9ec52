using System.Diagnostics;
using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>Runs through a callable in turns with bare calls of the same native entry function on the same memory.</summary>
internal static unsafe class CallOverhead
{
    private const int Batches = 400;
    private const int Rounds = 9;

    /// <summary>Medians of batches in turns: bare, span, bound, bare, ...</summary>
    public static ResultTable Run()
    {
        var table = new ResultTable("graph", "bare native call", "Callable.Run over it", "BoundCall.Run over it", "managed bytes");
        table.Add(Measure("x + 1 on one element", One(), 1, 1, 2000));
        table.Add(Measure("mlp 784-512-512-10", Mlp(), 784, 10, 50));
        return table;
    }

    /// <summary>Callers at once on one plan, each run on the caller's thread alone: how many times the runs of one caller there are.</summary>
    public static ResultTable RunConcurrently()
    {
        var table = new ResultTable("graph", "callers", "runs a second, one caller", "all callers", "times");
        using GraphProgram program = NativeProgram.Load(GraphCompiler.Cpu().Compile(Mlp(), NullLogger.Instance, CancellationToken.None));
        using Callable call = program.MakeCallable(new RunOptions { MaxThreads = 1 });
        int callers = Environment.ProcessorCount;
        var alone = new double[Rounds];
        var together = new double[Rounds];
        for (int round = -1; round < Rounds; round++)
        {
            double one = Rate(call, 1);
            double all = Rate(call, callers);
            if (round >= 0)
            {
                (alone[round], together[round]) = (one, all);
            }
        }
        table.Add(
            "mlp 784-512-512-10", Invariant($"{callers}"), Invariant($"{Measurement.Median(alone):F0}"), Invariant($"{Measurement.Median(together):F0}"),
            Invariant($"{Measurement.Median(together.Zip(alone, (t, a) => t / a)):F2}"));
        return table;
    }

    // Runs a second over a quarter of one.
    private static double Rate(Callable call, int callers)
    {
        long runs = 0;
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(_ => new Thread(() =>
        {
            float[] x = new float[784];
            float[] y = new float[10];
            long own = 0;
            while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < 250)
            {
                call.Run<float, float>(x, y);
                own++;
            }
            Interlocked.Add(ref runs, own);
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return runs / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string[] Measure(string name, Module module, int inputs, int outputs, int runsPerBatch)
    {
        var program = NativeProgram.Load(GraphCompiler.Cpu().Compile(module, NullLogger.Instance, CancellationToken.None));
        using GraphProgram owned = program;
        using Callable call = program.MakeCallable(new RunOptions { MaxThreads = 1 });
        using BoundCall bound = call.Bind([1, inputs]);
        using NativeBlock x = NativeBlock.Allocate(inputs * sizeof(float));
        using NativeBlock y = NativeBlock.Allocate(outputs * sizeof(float));
        NativeMemory.Clear(x.Pointer, x.Length);

        using var frame = new RunFrame(program);
        void* from = x.Pointer;
        void* to = y.Pointer;
        frame.Prepare((NativeBinding)program.Bind([1, inputs]), &from, &to, new RunOptions { MaxThreads = 1 }.Settings(default));
        NativeEntry entry = program.Entry;

        Action[] ways =
        [
            () => Repeat(runsPerBatch, () => entry.Invoke(frame.Context)),
            () => Repeat(runsPerBatch, () => call.Run<float, float>(
                new ReadOnlySpan<float>(x.Pointer, inputs), new Span<float>(y.Pointer, outputs))),
            () => Repeat(runsPerBatch, () => bound.Run()),
        ];
        double[][] times = [.. ways.Select(_ => new double[Batches])];
        Array.ForEach(ways, w => Repeat(20, w)); // until the just-in-time compiler is done with them
        Thread.Sleep(500);
        Array.ForEach(ways, w => Repeat(20, w));
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        for (int batch = 0; batch < Batches; batch++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                long start = Stopwatch.GetTimestamp();
                ways[way]();
                times[way][batch] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / runsPerBatch;
            }
        }
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;

        double Overhead(int way) => Measurement.Median(times[way].Zip(times[0], (a, b) => a - b));
        return
        [
            name, Invariant($"{Measurement.Median(times[0]):F0} ns"), Invariant($"{Overhead(1):F0} ns"), Invariant($"{Overhead(2):F0} ns"),
            Invariant($"{bytes} in {2 * Batches * runsPerBatch} runs"),
        ];
    }

    private static void Repeat(int times, Action action)
    {
        for (int i = 0; i < times; i++)
        {
            action();
        }
    }

    private static Module One()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 1], "x");
        return graph.Lower([x + 1], null, []).Module;
    }

    private static Module Mlp()
    {
        var graph = new Graph();
        Tensor Layer(Tensor input, int from, int to) => input.MatMul(graph.Constant(Literal.From<float>(
            [.. Enumerable.Range(0, from * to).Select(i => MathF.Sin(i) / 16)], from, to)));
        Tensor x = graph.Placeholder(DType.F32, ["batch", 784], "x");
        return graph.Lower([Layer(Layer(Layer(x, 784, 512).Relu(), 512, 512).Relu(), 512, 10)], null, []).Module;
    }
}
