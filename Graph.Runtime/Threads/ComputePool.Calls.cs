using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime.Threads;

namespace Graphene.Runtime;

/// <content>
/// The caller's side: a call takes a slot, publishes itself there, works on its own tasks, and waits
/// for those who joined.
/// </content>
public sealed unsafe partial class ComputePool
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ParallelFor(
        NativeContext* context,
        delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> kernel,
        void** arguments,
        long tasks)
    {
        var pool = Unsafe.As<ComputePool>(GCHandle.FromIntPtr((nint)context->Pool).Target!);
        pool.Run(context, kernel, arguments, tasks);
    }

    private void Run(
        NativeContext* context,
        delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> kernel,
        void** arguments,
        long tasks)
    {
        if (tasks <= 0)
        {
            return;
        }
        int threads = (int)Math.Min(Math.Min(context->Threads, Width), tasks);
        int slot = threads > 1 ? TakeSlot() : -1;
        if (slot < 0)
        {
            RunAlone(context, kernel, arguments, tasks);
        }
        else
        {
            RunShared(slot, context, kernel, arguments, tasks, threads);
        }
        if (context->Error == NativeError.None && context->Cancel != null && Volatile.Read(ref *context->Cancel) != 0)
        {
            // Tasks may have been left out, so nothing that follows may take the results for complete.
            context->Error = NativeError.Cancelled;
        }
    }

    // One thread, but still in pieces: between them it is seen that the run should stop.
    private static void RunAlone(
        NativeContext* context,
        delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> kernel,
        void** arguments,
        long tasks)
    {
        int pieces = (int)Math.Min(tasks, ParallelCall.GrainsPerShare);
        for (int i = 0; i < pieces && !ParallelCall.MustStop(context); i++)
        {
            var (begin, count) = ParallelCall.Part(0, tasks, i, pieces);
            kernel(context, arguments, begin, begin + count);
        }
    }

    private void RunShared(
        int slot,
        NativeContext* context,
        delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> kernel,
        void** arguments,
        long tasks,
        int threads)
    {
        ParallelCall* call = Call(slot);
        call->Context = context;
        call->Kernel = kernel;
        call->Arguments = arguments;
        call->Tasks = tasks;
        call->Shares = threads;
        for (int i = 0; i < threads; i++)
        {
            *(int*)(call->GrainsTaken + ((long)i * ParallelCall.ShareStride)) = 0;
        }
        call->Publish();
        Interlocked.Or(ref _state.OpenCalls, 1L << slot);
        Wake(threads - 1);
        call->Work(0);
        Interlocked.And(ref _state.OpenCalls, ~(1L << slot));
        if (!call->Close())
        {
            WaitForHelpers(call, _callerParking[slot]);
        }
        Volatile.Write(ref call->State, 0);
        Interlocked.And(ref _state.TakenSlots, ~(1L << slot));
    }

    private void WaitForHelpers(ParallelCall* call, Gate gate)
    {
        long deadline = 0;
        for (int i = 1; _spin && call->Workers > 0; i++)
        {
            Thread.SpinWait(1);
            if (i >= LooksBeforeYields && i % LooksBetweenYields == 0)
            {
                long now = System.Diagnostics.Stopwatch.GetTimestamp();
                deadline = deadline == 0 ? now + _waitTicks : deadline;
                if (now > deadline)
                {
                    break;
                }
                Thread.Yield(); // on a busy machine the helper may be waiting for this very processor
            }
        }
        if (call->Workers > 0 && call->TrySleep())
        {
            gate.Wait();
        }
    }

    private int TakeSlot()
    {
        while (true)
        {
            long taken = Volatile.Read(ref _state.TakenSlots);
            int slot = BitOperations.TrailingZeroCount(~taken);
            if (slot >= MaxCalls)
            {
                return -1;
            }
            if (Interlocked.CompareExchange(ref _state.TakenSlots, taken | (1L << slot), taken) == taken)
            {
                return slot;
            }
        }
    }

    private ParallelCall* Call(int slot) => (ParallelCall*)((byte*)_calls + ((nuint)slot * SlotStride));
}
