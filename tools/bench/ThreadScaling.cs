using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Bench;

/// <summary>Thread counts in turns within one process, so that they see the same machine, and where the time of a run goes.</summary>
internal static unsafe class ThreadScaling
{
    private static readonly List<double> Loops = new(1 << 16);
    private static delegate* unmanaged[Cdecl]<
        NativeContext*, delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void>, void**, long, void> parallelFor;

    public static void Print(IReadOnlyList<ModelEntry> models, int[] threadCounts, double seconds)
    {
        int most = threadCounts.Max();
        using var pool = new ComputePool(most);
        Console.WriteLine(MachineDescription.OneLine());
        PrintEmptyLoops(pool, most);
        foreach (ModelEntry model in models)
        {
            Module module = OnnxImporter.Import(model.Path).Module;
            using NativeProgram program = NativeProgram.Load(
                GraphCompiler.Cpu().Compile(module, NullLogger.Instance, CancellationToken.None));
            Measure(model.Name, program, pool, threadCounts, seconds);
        }
    }

    private static void Measure(string name, NativeProgram program, ComputePool pool, int[] threadCounts, double seconds)
    {
        long[] extents = [.. program.Inputs.SelectMany(i => i.Type.Shape.Select(d => d.Evaluate(s => Math.Max(1, s.Min))))];
        var binding = (NativeBinding)program.Bind(extents);
        using NativeBlock inputs = Blocks(binding.InputBytes, out nint[] from);
        using NativeBlock outputs = Blocks(binding.OutputBytes, out nint[] to);
        using var frame = new RunFrame(program);
        double Run(int threads, bool watched)
        {
            fixed (nint* x = from)
            {
                fixed (nint* y = to)
                {
                    frame.Prepare(binding, (void**)x, (void**)y, new RunOptions { MaxThreads = threads, Pool = pool }.Settings(default));
                }
            }
            parallelFor = frame.Context->ParallelFor;
            frame.Context->ParallelFor = watched ? &Watch : parallelFor;
            Loops.Clear();
            long start = Stopwatch.GetTimestamp();
            pool.BeginRun();
            program.Entry.Invoke(frame.Context);
            pool.EndRun();
            return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        double once = threadCounts.Sum(t => Run(t, false));
        int rounds = (int)Math.Clamp(seconds * 1e6 / Math.Max(once, 1), 5, 5000);
        double[][] times = [.. threadCounts.Select(_ => new double[rounds])];
        var inLoops = new double[rounds];
        var watchedRuns = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < threadCounts.Length; i++)
            {
                times[i][round] = Run(threadCounts[i], false);
            }
            watchedRuns[round] = Run(threadCounts[^1], true);
            inLoops[round] = Loops.Sum();
        }
        double first = Measurement.Median(times[0]);
        string row = string.Join(", ", threadCounts.Select((t, i) => string.Create(
            CultureInfo.InvariantCulture,
            $"{t} threads {Measurement.Median(times[i]):F1} us ({first / Measurement.Median(times[i]):F2}x; best {times[i].Min():F1})")));
        double serial = 1 - (Measurement.Median(inLoops) / Measurement.Median(watchedRuns));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {row}; {Loops.Count} parallel loops a run, {serial:P0} of the time at {threadCounts[^1]} threads outside of them"));
    }

    // Calls the pool and notes how long it took.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Watch(
        NativeContext* context, delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> kernel, void** arguments, long tasks)
    {
        long start = Stopwatch.GetTimestamp();
        parallelFor(context, kernel, arguments, tasks);
        Loops.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Nothing(NativeContext* context, void** arguments, long begin, long end)
    {
    }

    private static void PrintEmptyLoops(ComputePool pool, int threads)
    {
        int stop = 0;
        NativeContext context = default;
        context.Cancel = &stop;
        pool.Attach(&context, threads);
        foreach (int gapMicroseconds in (int[])[0, 20, 100, 1000, 10_000])
        {
            var times = new double[gapMicroseconds > 1000 ? 200 : 2000];
            for (int i = 0; i < times.Length; i++)
            {
                long idle = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(idle).TotalMicroseconds < gapMicroseconds)
                {
                    Thread.SpinWait(1);
                }
                long start = Stopwatch.GetTimestamp();
                context.ParallelFor(&context, &Nothing, null, threads);
                times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            }
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"empty parallel loop of {threads} threads, {gapMicroseconds} us after the last: median {Measurement.Median(times):F2} us"));
        }
    }

    private static NativeBlock Blocks(long[] bytes, out nint[] addresses)
    {
        long Align(long size) => (size + 63) / 64 * 64;
        NativeBlock block = NativeBlock.Allocate(bytes.Sum(Align));
        NativeMemory.Clear(block.Pointer, block.Length);
        addresses = new nint[bytes.Length];
        byte* at = block.Pointer;
        for (int i = 0; i < bytes.Length; i++)
        {
            addresses[i] = (nint)at;
            at += Align(bytes[i]);
        }
        return block;
    }
}
