using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime;

namespace Graphene.Tests.Runtime;

/// <summary>Kernels with the native calling convention, written in C#: what compiled code looks like to the pool.</summary>
internal static unsafe class TestKernels
{
    /// <summary>Does nothing.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Empty(NativeContext* context, void** args, long begin, long end)
    {
    }

    /// <summary>args[0][i] += i + 1 for each task i, so a task that ran twice or never shows.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void AddIndex(NativeContext* context, void** args, long begin, long end)
    {
        long* sums = (long*)args[0];
        for (long i = begin; i < end; i++)
        {
            sums[i] += i + 1;
        }
    }

    /// <summary>Counts its tasks in args[0][0] and its calls in args[0][1]; each call takes about a millisecond.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void CountSlowly(NativeContext* context, void** args, long begin, long end)
    {
        long* counts = (long*)args[0];
        Interlocked.Add(ref counts[0], end - begin);
        Interlocked.Increment(ref counts[1]);
        Thread.Sleep(1);
    }

    /// <summary>Raises the run's own cancellation flag and counts its tasks in args[0][0].</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void CancelItself(NativeContext* context, void** args, long begin, long end)
    {
        Interlocked.Add(ref *(long*)args[0], end - begin);
        Volatile.Write(ref *context->Cancel, 1);
    }

    /// <summary>Reports a failed check and counts its tasks in args[0][0].</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void Fail(NativeContext* context, void** args, long begin, long end)
    {
        Interlocked.Add(ref *(long*)args[0], end - begin);
        context->ErrorDetail = 7;
        context->Error = NativeError.CheckFailed;
    }

    /// <summary>Records in args[0] the largest number of threads that were in this kernel at once (args[0][1]).</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void MeasureConcurrency(NativeContext* context, void** args, long begin, long end)
    {
        int* counters = (int*)args[0];
        int now = Interlocked.Increment(ref counters[0]);
        int seen = Volatile.Read(ref counters[1]);
        while (now > seen && Interlocked.CompareExchange(ref counters[1], now, seen) != seen)
        {
            seen = Volatile.Read(ref counters[1]);
        }
        Thread.Sleep(2);
        Interlocked.Decrement(ref counters[0]);
    }

    /// <summary>Calls the context's parallel_for for a kernel over some tasks, as an entry function would.</summary>
    public static void Run(
        NativeContext* context,
        delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> kernel,
        void* argument,
        long tasks)
    {
        void** args = stackalloc void*[1];
        args[0] = argument;
        context->ParallelFor(context, kernel, args, tasks);
    }
}
