using System.Globalization;
using Graphene.Runtime;
using Graphene.Runtime.Threads;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed unsafe class ComputePoolTests
{
    [Test]
    public void EveryTaskRunsExactlyOnce([Values(1, 2, 4)] int width, [Values(0, 1, 2, 3, 7, 8, 64, 1001)] int tasks)
    {
        using var pool = new ComputePool(width);
        long[] sums = new long[tasks + 1];
        fixed (long* pointer = sums)
        {
            NativeContext context = default;
            pool.Attach(&context);
            for (int round = 0; round < 200; round++)
            {
                TestKernels.Run(&context, &TestKernels.AddIndex, pointer, tasks);
            }
        }
        for (int i = 0; i < tasks; i++)
        {
            Assert.That(sums[i], Is.EqualTo(200L * (i + 1)), $"task {i}");
        }
    }

    [Test]
    public void ConcurrentCallersShareThePoolAndStayCorrect()
    {
        const int Callers = 8;
        const int Tasks = 100;
        const int Rounds = 2000;
        using var pool = new ComputePool(4);
        long[][] sums = [.. Enumerable.Range(0, Callers).Select(_ => new long[Tasks])];
        Thread[] callers = [.. sums.Select(s => new Thread(() => Repeat(pool, s, Rounds)))];
        foreach (Thread caller in callers)
        {
            caller.Start();
        }
        foreach (Thread caller in callers)
        {
            caller.Join();
        }
        long[] expected = [.. Enumerable.Range(0, Tasks).Select(i => (long)Rounds * (i + 1))];
        Assert.That(sums, Is.All.EqualTo(expected));
        Assert.That(pool.WorkerCount, Is.EqualTo(3));
    }

    [Test]
    public void MoreCallersThanCallSlotsStillFinish()
    {
        using var pool = new ComputePool(2);
        long[] counts = new long[2];
        fixed (long* pointer = counts)
        {
            nint address = (nint)pointer;
            Thread[] callers = [.. Enumerable.Range(0, 80).Select(_ => new Thread(() => CallSlowKernel(pool, address)))];
            foreach (Thread caller in callers)
            {
                caller.Start();
            }
            foreach (Thread caller in callers)
            {
                caller.Join();
            }
        }
        Assert.That(counts[0], Is.EqualTo(80 * 16));
    }

    [Test]
    public void AThreadBoundOfOneCreatesNoThread()
    {
        using var pool = new ComputePool(4);
        long[] sums = new long[10];
        fixed (long* pointer = sums)
        {
            NativeContext context = default;
            pool.Attach(&context, maxThreads: 1);
            TestKernels.Run(&context, &TestKernels.AddIndex, pointer, 10);
        }
        Assert.That(sums[9], Is.EqualTo(10));
        Assert.That(pool.WorkerCount, Is.Zero);
    }

    [Test]
    public void ACallNeverUsesMoreThreadsThanItsBound()
    {
        using var pool = new ComputePool(8);
        NativeContext wide = default;
        pool.Attach(&wide);
        int[] counters = new int[2];
        fixed (int* pointer = counters)
        {
            NativeContext context = default;
            pool.Attach(&context, maxThreads: 3);
            for (int i = 0; i < 20; i++)
            {
                TestKernels.Run(&context, &TestKernels.MeasureConcurrency, pointer, 64);
            }
        }
        Assert.That(counters[1], Is.EqualTo(3), "sleeping tasks let all three threads in, and never a fourth");
    }

    [Test]
    public void CallsAllocateNothing()
    {
        using var pool = new ComputePool(2);
        NativeContext context = default;
        pool.Attach(&context);
        TestKernels.Run(&context, &TestKernels.Empty, null, 2);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            TestKernels.Run(&context, &TestKernels.Empty, null, 2);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void CancellationStopsTheTasksThatRemain([Values(1, 2, 4)] int width)
    {
        using var pool = new ComputePool(width);
        using var flag = new CancellationFlag();
        long ran = 0;
        NativeContext context = default;
        pool.Attach(&context);
        context.Cancel = flag.Pointer;
        TestKernels.Run(&context, &TestKernels.CancelItself, &ran, 10_000);
        Assert.That(ran, Is.InRange(1, 9_999));
        Assert.That(context.Error, Is.EqualTo(NativeError.Cancelled));
    }

    [Test]
    public void AnErrorStopsTheTasksThatRemainAndIsKept([Values(1, 2)] int width)
    {
        using var pool = new ComputePool(width);
        long ran = 0;
        NativeContext context = default;
        pool.Attach(&context);
        TestKernels.Run(&context, &TestKernels.Fail, &ran, 10_000);
        Assert.That(ran, Is.LessThan(10_000));
        Assert.That(context.Error, Is.EqualTo(NativeError.CheckFailed));
        Assert.That(context.ErrorDetail, Is.EqualTo(7));
    }

    [Test]
    public void IdleThreadsSleep()
    {
        using var pool = new ComputePool(4);
        NativeContext context = default;
        pool.Attach(&context);
        TestKernels.Run(&context, &TestKernels.Empty, null, 4);
        Assert.That(() => pool.ParkedCount, Is.EqualTo(3).After(2000, 1));
        if (!OperatingSystem.IsLinux())
        {
            return; // the system does not tell what a single thread used
        }
        long before = WorkerNanoseconds();
        Thread.Sleep(300);
        Assert.That(WorkerNanoseconds() - before, Is.LessThan(3_000_000), "less than 1 % of the time");
        Assert.That(pool.ParkedCount, Is.EqualTo(3));
    }

    [Test]
    public void SleepingThreadsWakeForTheNextCall()
    {
        using var pool = new ComputePool(2, spin: false);
        NativeContext context = default;
        pool.Attach(&context);
        int[] counters = new int[2];
        fixed (int* pointer = counters)
        {
            for (int i = 0; i < 20; i++)
            {
                Thread.Sleep(2);
                TestKernels.Run(&context, &TestKernels.MeasureConcurrency, pointer, 8);
            }
        }
        Assert.That(counters[1], Is.EqualTo(2));
    }

    [Test]
    public void PartsCoverARangeWithoutGapOrOverlap([Values(1, 2, 3, 7)] int parts, [Values(0, 1, 6, 100)] long count)
    {
        long next = 5;
        for (int i = 0; i < parts; i++)
        {
            var (begin, size) = ParallelCall.Part(5, count, i, parts);
            Assert.That(begin, Is.EqualTo(next));
            Assert.That(size, Is.InRange(count / parts, (count / parts) + 1));
            next += size;
        }
        Assert.That(next, Is.EqualTo(5 + count));
    }

    [Test]
    public void PartsOfTheLargestRangeDoNotOverflow()
    {
        var (begin, size) = ParallelCall.Part(0, long.MaxValue, 999, 1000);
        Assert.That(begin + size, Is.EqualTo(long.MaxValue));
    }

    [Test]
    public void EveryGateCountsItsPermits([Values] bool portable)
    {
        using Gate gate = portable ? new PortableGate() : Gate.Create();
        int passed = 0;
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                gate.Wait();
                Interlocked.Increment(ref passed);
            }
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }
        for (int i = 0; i < 1000; i++)
        {
            gate.Release(2);
        }
        foreach (Thread thread in threads)
        {
            thread.Join();
        }
        Assert.That(passed, Is.EqualTo(2000));
    }

    // The first field of schedstat is the time that a thread was on a processor.
    private static long WorkerNanoseconds() => Directory.GetDirectories("/proc/self/task")
        .Where(t => File.ReadAllText(Path.Combine(t, "comm")).StartsWith("graphene-", StringComparison.Ordinal))
        .Sum(t => long.Parse(File.ReadAllText(Path.Combine(t, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture));

    private static void Repeat(ComputePool pool, long[] sums, int rounds)
    {
        fixed (long* pointer = sums)
        {
            NativeContext context = default;
            pool.Attach(&context);
            for (int i = 0; i < rounds; i++)
            {
                TestKernels.Run(&context, &TestKernels.AddIndex, pointer, sums.Length);
            }
        }
    }

    private static void CallSlowKernel(ComputePool pool, nint counts)
    {
        NativeContext context = default;
        pool.Attach(&context);
        TestKernels.Run(&context, &TestKernels.CountSlowly, (void*)counts, 16);
    }
}
