using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Graphene.Cli.Execution;

/// <summary>What the machine can do at best at this minute; measured beside everything else, since hosts change speed.</summary>
/// <param name="Threads">Threads that ran together; of a GPU its multiprocessors.</param>
/// <param name="FmaGigaflops">f32 fused multiply-adds from registers, two operations each; 0 where it is not measured.</param>
/// <param name="ReadGigabytesPerSecond">Summing an array larger than the caches; on a GPU what copies read and write.</param>
internal sealed record Ceilings(int Threads, double FmaGigaflops, double ReadGigabytesPerSecond)
{
    private const int FmaChains = 10;
    private const int ArrayBytes = 256 << 20;
    private const int Handovers = 50_000;
    private const int HandoversBetweenLooks = 16;

    /// <summary>
    /// How long a cache line takes from one thread to another, in nanoseconds; null for one thread. It tells where the host of a virtual
    /// machine runs them: on a Zen 4 on one core 24, on two that share the third cache 55, on others 250.
    /// </summary>
    public double? HandoverNanoseconds { get; private init; }

    /// <summary>Measures all, the best of some tries.</summary>
    public static Ceilings Measure(int threads)
    {
        double fma = Best(threads, 5, _ => FmaWork(1_000_000));
        float[][] arrays = [.. Enumerable.Range(0, threads).Select(_ => NewArray(ArrayBytes / threads))];
        double read = Best(threads, 5, i => ReadLoop(arrays[i]));
        return new Ceilings(threads, fma / 1e9, read / 1e9)
        {
            HandoverNanoseconds = threads > 1 ? 1e9 / Enumerable.Range(0, 5).Max(_ => MeasureHandovers()) : null,
        };
    }

    /// <summary>
    /// The FMA rate of the next half millisecond, to be taken in turns with what is compared to it: other guests of the same
    /// processor take up to half of a core's rate from one moment to the next.
    /// </summary>
    public static double SampleFmaGigaflops(int threads) => Together(threads, _ => FmaWork(200_000)) / 1e9;

    /// <inheritdoc/>
    public override string ToString() => FmaGigaflops > 0
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{Threads} threads: {FmaGigaflops:F0} GFLOP/s FMA, {ReadGigabytesPerSecond:F1} GB/s read{Handover}")
        : string.Create(CultureInfo.InvariantCulture, $"{Threads} multiprocessors: {ReadGigabytesPerSecond:F1} GB/s copied");

    private string Handover => HandoverNanoseconds is { } ns
        ? string.Create(CultureInfo.InvariantCulture, $", {ns:F0} ns from core to core") : "";

    private static double FmaWork(long iterations) => 2.0 * FmaChains * VectorLanes * FmaLoop(iterations);

    private static int VectorLanes => Vector512.IsHardwareAccelerated ? Vector512<float>.Count
        : Vector256.IsHardwareAccelerated ? Vector256<float>.Count : Vector128<float>.Count;

    private static double Best(int threads, int tries, Func<int, double> work)
    {
        work(0);
        return Enumerable.Range(0, tries).Max(_ => Together(threads, work));
    }

    // The work of all threads per second. They start together, and time runs from when the first of them begins: on a busy machine they
    // may be done before the thread that started them runs again.
    private static double Together(int threads, Func<int, double> work)
    {
        double done = 0;
        long first = long.MaxValue, last = long.MinValue;
        using var barrier = new Barrier(threads);
        void Work(int i)
        {
            barrier.SignalAndWait();
            long start = Stopwatch.GetTimestamp();
            double amount = work(i);
            long end = Stopwatch.GetTimestamp();
            lock (barrier)
            {
                (first, last) = (Math.Min(first, start), Math.Max(last, end));
                done += amount;
            }
        }

        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => Work(i)))];
        Array.ForEach(others, x => x.Start());
        Work(0);
        Array.ForEach(others, x => x.Join());
        return done / Stopwatch.GetElapsedTime(first, last).TotalSeconds;
    }

    // Lines handed over in a second: one thread counts up in a line of its own, the other answers in another. It ends early where both
    // threads wait for the same processor.
    private static double MeasureHandovers()
    {
        long[] lines = new long[64];
        return Together(2, i => i == 0 ? Call(ref lines[16], ref lines[48]) : Answer(ref lines[16], ref lines[48]));
    }

    private static double Call(ref long call, ref long answer)
    {
        long start = Stopwatch.GetTimestamp();
        long n = 0;
        do
        {
            Volatile.Write(ref call, ++n);
            while (Volatile.Read(ref answer) != n)
            {
            }
        }
        while (n < Handovers && (n % HandoversBetweenLooks != 0 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < 50));
        Volatile.Write(ref call, -1);
        return n;
    }

    private static double Answer(ref long call, ref long answer)
    {
        long n = 0;
        for (long seen = Volatile.Read(ref call); seen >= 0; seen = Volatile.Read(ref call))
        {
            if (seen != n)
            {
                n = seen;
                Volatile.Write(ref answer, n);
            }
        }
        return n;
    }

    // Ten independent chains hide a latency of 4 or 5 cycles on two units, and fit 16 registers with the two operands.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long FmaLoop(long iterations)
    {
        float sum = Vector512.IsHardwareAccelerated
            ? Fma512(iterations)
            : Vector256.IsHardwareAccelerated ? Fma256(iterations) : Fma128(iterations);
        return float.IsNaN(sum) ? 0 : iterations;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Fma512(long iterations)
    {
        Vector512<float> a = Vector512.Create(0.999f), b = Vector512.Create(0.001f);
        Vector512<float> s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a;
        for (long i = 0; i < iterations; i++)
        {
            s0 = Vector512.FusedMultiplyAdd(s0, a, b);
            s1 = Vector512.FusedMultiplyAdd(s1, a, b);
            s2 = Vector512.FusedMultiplyAdd(s2, a, b);
            s3 = Vector512.FusedMultiplyAdd(s3, a, b);
            s4 = Vector512.FusedMultiplyAdd(s4, a, b);
            s5 = Vector512.FusedMultiplyAdd(s5, a, b);
            s6 = Vector512.FusedMultiplyAdd(s6, a, b);
            s7 = Vector512.FusedMultiplyAdd(s7, a, b);
            s8 = Vector512.FusedMultiplyAdd(s8, a, b);
            s9 = Vector512.FusedMultiplyAdd(s9, a, b);
        }
        return Vector512.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Fma256(long iterations)
    {
        Vector256<float> a = Vector256.Create(0.999f), b = Vector256.Create(0.001f);
        Vector256<float> s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a;
        for (long i = 0; i < iterations; i++)
        {
            s0 = Vector256.FusedMultiplyAdd(s0, a, b);
            s1 = Vector256.FusedMultiplyAdd(s1, a, b);
            s2 = Vector256.FusedMultiplyAdd(s2, a, b);
            s3 = Vector256.FusedMultiplyAdd(s3, a, b);
            s4 = Vector256.FusedMultiplyAdd(s4, a, b);
            s5 = Vector256.FusedMultiplyAdd(s5, a, b);
            s6 = Vector256.FusedMultiplyAdd(s6, a, b);
            s7 = Vector256.FusedMultiplyAdd(s7, a, b);
            s8 = Vector256.FusedMultiplyAdd(s8, a, b);
            s9 = Vector256.FusedMultiplyAdd(s9, a, b);
        }
        return Vector256.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static float Fma128(long iterations)
    {
        Vector128<float> a = Vector128.Create(0.999f), b = Vector128.Create(0.001f);
        Vector128<float> s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a;
        for (long i = 0; i < iterations; i++)
        {
            s0 = Vector128.FusedMultiplyAdd(s0, a, b);
            s1 = Vector128.FusedMultiplyAdd(s1, a, b);
            s2 = Vector128.FusedMultiplyAdd(s2, a, b);
            s3 = Vector128.FusedMultiplyAdd(s3, a, b);
            s4 = Vector128.FusedMultiplyAdd(s4, a, b);
            s5 = Vector128.FusedMultiplyAdd(s5, a, b);
            s6 = Vector128.FusedMultiplyAdd(s6, a, b);
            s7 = Vector128.FusedMultiplyAdd(s7, a, b);
            s8 = Vector128.FusedMultiplyAdd(s8, a, b);
            s9 = Vector128.FusedMultiplyAdd(s9, a, b);
        }
        return Vector128.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static double ReadLoop(float[] array)
    {
        ReadOnlySpan<Vector256<float>> v = MemoryMarshal.Cast<float, Vector256<float>>(array);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int i = 0; i + 3 < v.Length; i += 4)
        {
            s0 += v[i];
            s1 += v[i + 1];
            s2 += v[i + 2];
            s3 += v[i + 3];
        }
        return float.IsNaN(Vector256.Sum(s0 + s1 + s2 + s3)) ? 0 : array.Length * 4.0;
    }

    private static float[] NewArray(int bytes)
    {
        float[] array = new float[bytes / sizeof(float)];
        Array.Fill(array, 1f);
        return array;
    }
}
