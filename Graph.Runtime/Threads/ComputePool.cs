using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime.Interop;
using Graphene.Runtime.Threads;

namespace Graphene.Runtime;

/// <summary>The threads that help runs of compiled graphs: one pool per process, shared by every session.</summary>
/// <remarks>
/// <para>
/// Nothing runs until it is needed: a thread is created when a call first wants it, spins for a while after its last task,
/// because the next kernel usually comes at once (longer while a run is in progress), and then sleeps at no cost. How many
/// threads may work on one call is that call's own bound (<see cref="NativeContext.Threads"/>); a call whose bound is 1 never
/// touches the pool.
/// </para>
/// <para>
/// A caller never waits for a helper to arrive: it starts on the tasks itself, helpers join while there is something
/// left,
/// and a call that finds every thread busy runs on its own. Free threads join the call with the fewest helpers,
/// so concurrent sessions share the pool evenly. Calls allocate no managed memory.
/// </para>
/// <para>The split depends on the call's bound only, never on which thread came when; see
/// <see cref="ParallelCall"/>.</para>
/// </remarks>
public sealed unsafe class ComputePool : IDisposable
{
    /// <summary>The most threads a pool may have.</summary>
    public const int MaxWidth = DebugOptions.MaxThreads;

    private const int MaxCalls = 64;
    private const int LooksBetweenYields = 16;

    // A helper that slept comes some 50 microseconds late or more, which is longer than most kernels take. So helpers stay awake
    // for as long as a run is likely to have more for them, and a little longer for the run that may follow.
    private static readonly long _spinTicks = System.Diagnostics.Stopwatch.Frequency / 5_000; // 200 microseconds
    private static readonly long _spinTicksInRun = System.Diagnostics.Stopwatch.Frequency / 500; // 2 milliseconds
    private static readonly long _waitTicks = System.Diagnostics.Stopwatch.Frequency / 20_000; // 50 microseconds
    private static readonly Lazy<ComputePool> _shared = new(CreateShared);

    private readonly Gate _parking = Gate.Create();
    private readonly Gate[] _callerParking = new Gate[MaxCalls];
    private readonly ParallelCall* _calls;
    private readonly byte* _shareCounters;
    private readonly List<Thread> _threads = [];
    private readonly Lock _growth = new();
    private readonly bool _spin;
    private GCHandle _handle;
    private volatile int _workers;
    private volatile bool _stopping;

    private State _state;

    /// <summary>Creates a pool of its own, for tests and for hosts that partition a machine.</summary>
    /// <param name="width">The most threads, the caller's included, that work on one call: 1 to
    /// <see cref="MaxWidth"/>.</param>
    /// <param name="spin">Whether waiting threads may spin briefly before they sleep.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is out of range.</exception>
    public ComputePool(int width, bool spin = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, MaxWidth);
        Width = width;
        _spin = spin && width > 1;
        int counterBytes = width * ParallelCall.ShareStride;
        _calls = (ParallelCall*)NativeMemory.AlignedAlloc(MaxCalls * SlotStride, ParallelCall.ShareStride);
        _shareCounters = (byte*)NativeMemory.AlignedAlloc((nuint)(MaxCalls * counterBytes), ParallelCall.ShareStride);
        NativeMemory.Clear(_calls, MaxCalls * SlotStride);
        for (int i = 0; i < MaxCalls; i++)
        {
            Call(i)->GrainsTaken = _shareCounters + ((long)i * counterBytes);
            _callerParking[i] = Gate.Create();
        }
        _handle = GCHandle.Alloc(this);
    }

    /// <summary>The pool of this process, as wide as its <see cref="CpuBudget"/> or as GRAPHENE_THREADS says.</summary>
    /// <exception cref="GraphException">GR1950: GRAPHENE_THREADS is not a number of threads.</exception>
    public static ComputePool Shared => _shared.Value;

    /// <summary>The most threads that work on one call, the caller's included.</summary>
    public int Width { get; }

    /// <summary>How many threads the pool has created so far; at most <see cref="Width"/> - 1.</summary>
    public int WorkerCount => _workers;

    /// <summary>Threads asleep now, for tests.</summary>
    internal int ParkedCount => Volatile.Read(ref _state.Parked);

    private static nuint SlotStride => 2 * ParallelCall.ShareStride;

    /// <summary>Makes a context use this pool.</summary>
    /// <param name="context">The context of a run; its pool fields are set.</param>
    /// <param name="maxThreads">The most threads for this run; 0 means the pool's width. More than the width is
    /// cut.</param>
    public void Attach(NativeContext* context, int maxThreads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        int threads = maxThreads == 0 ? Width : Math.Min(maxThreads, Width);
        context->Threads = threads;
        context->ParallelFor = &ParallelFor;
        context->Pool = (void*)GCHandle.ToIntPtr(_handle);
        EnsureWorkers(threads - 1);
    }

    /// <summary>Says that a run with this pool begins: until it ends, threads stay awake longer between its kernels.</summary>
    internal void BeginRun() => Interlocked.Increment(ref _state.Runs);

    /// <summary>Says that a run has ended.</summary>
    internal void EndRun() => Interlocked.Decrement(ref _state.Runs);

    /// <summary>Stops the threads. No call may be in progress and no context may use the pool afterwards.</summary>
    public void Dispose()
    {
        if (!_handle.IsAllocated)
        {
            return;
        }
        _stopping = true;
        Thread[] threads;
        lock (_growth)
        {
            threads = [.. _threads];
        }
        if (threads.Length > 0)
        {
            _parking.Release(threads.Length);
        }
        foreach (Thread thread in threads)
        {
            thread.Join();
        }
        _handle.Free();
        _parking.Dispose();
        foreach (Gate gate in _callerParking)
        {
            gate.Dispose();
        }
        NativeMemory.AlignedFree(_calls);
        NativeMemory.AlignedFree(_shareCounters);
    }

    private static ComputePool CreateShared()
    {
        CpuBudget budget = CpuBudget.Read();
        int width = Math.Min(DebugOptions.FromEnvironment().Threads ?? budget.Threads, MaxWidth);
        return new ComputePool(width, budget.AllowsSpinning(width));
    }

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
            if (i % LooksBetweenYields == 0)
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

    // Wakes sleepers unless threads that already look for work are enough.
    private void Wake(int helpers)
    {
        helpers -= Volatile.Read(ref _state.Searching);
        while (helpers > 0)
        {
            int parked = Volatile.Read(ref _state.Parked);
            int waking = Math.Min(parked, helpers);
            if (waking <= 0)
            {
                return;
            }
            if (Interlocked.CompareExchange(ref _state.Parked, parked - waking, parked) == parked)
            {
                _parking.Release(waking);
                return;
            }
        }
    }

    private void EnsureWorkers(int wanted)
    {
        if (_workers >= wanted)
        {
            return;
        }
        lock (_growth)
        {
            while (_workers < wanted && !_stopping)
            {
                var thread = new Thread(WorkerMain)
                {
                    IsBackground = true,
                    Name = string.Create(CultureInfo.InvariantCulture, $"graphene-{_workers + 1}"),
                };
                _threads.Add(thread);
                thread.UnsafeStart();
                _workers++;
            }
        }
    }

    private void WorkerMain()
    {
        // A new thread inherits its creator's affinity, and the creator may be pinned.
        if (OperatingSystem.IsLinux() && CpuBudget.ReadAffinityMask() is { } mask)
        {
            Libc.SetAffinity(0, mask);
        }
        while (!_stopping)
        {
            Interlocked.Increment(ref _state.Searching);
            bool found = Search();
            Interlocked.Decrement(ref _state.Searching);
            if (!found)
            {
                Park();
            }
        }
    }

    // Helps calls until none came for a while. Returns false when it is time to sleep.
    private bool Search()
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!_stopping)
        {
            for (int i = 0; i < LooksBetweenYields; i++)
            {
                long open = Volatile.Read(ref _state.OpenCalls);
                if (open != 0 && TryHelp(open))
                {
                    return true;
                }
                if (!_spin)
                {
                    return false;
                }
                Thread.SpinWait(1);
            }
            long patience = Volatile.Read(ref _state.Runs) > 0 ? _spinTicksInRun : _spinTicks;
            if (System.Diagnostics.Stopwatch.GetTimestamp() - start > patience)
            {
                return false;
            }
            Thread.Yield(); // whoever needs this processor for work goes first
        }
        return false;
    }

    // Joins the open call that has the fewest helpers and works on it to its end.
    private bool TryHelp(long open)
    {
        int best = -1;
        int fewest = int.MaxValue;
        for (; open != 0; open &= open - 1)
        {
            int slot = BitOperations.TrailingZeroCount(open);
            int workers = Call(slot)->Workers;
            if (workers < fewest && Call(slot)->OpenTickets > 0)
            {
                (best, fewest) = (slot, workers);
            }
        }
        if (best < 0)
        {
            return false;
        }
        ParallelCall* call = Call(best);
        int share = call->TryJoin();
        if (share < 0)
        {
            return false;
        }
        Interlocked.Decrement(ref _state.Searching);
        if (Volatile.Read(ref _state.Parked) > 0 && HasOpenTicket())
        {
            // The caller counted searching threads, but several callers may have counted the same one.
            Wake(1);
        }
        call->Work(share);
        Interlocked.Increment(ref _state.Searching);
        if (call->Leave())
        {
            _callerParking[best].Release(1);
        }
        return true;
    }

    // The increment is a full fence and so is setting a bit of OpenCalls: either this thread sees the new call,
    // or the caller sees this thread as parked.
    private void Park()
    {
        Interlocked.Increment(ref _state.Parked);
        if ((Volatile.Read(ref _state.OpenCalls) != 0 && HasOpenTicket()) || _stopping)
        {
            int parked = Volatile.Read(ref _state.Parked);
            while (parked > 0)
            {
                int seen = Interlocked.CompareExchange(ref _state.Parked, parked - 1, parked);
                if (seen == parked)
                {
                    return;
                }
                parked = seen;
            }
            // Somebody counted on waking this thread: its permit is there or about to be.
        }
        _parking.Wait();
    }

    private bool HasOpenTicket()
    {
        for (long open = Volatile.Read(ref _state.OpenCalls); open != 0; open &= open - 1)
        {
            if (Call(BitOperations.TrailingZeroCount(open))->OpenTickets > 0)
            {
                return true;
            }
        }
        return false;
    }

    // Each on cache lines of its own: idle threads read OpenCalls all the time.
    [StructLayout(LayoutKind.Explicit, Size = 768)]
    private struct State
    {
        /// <summary>Bit i: slot i is taken by a call.</summary>
        [FieldOffset(128)]
        public long TakenSlots;

        /// <summary>Bit i: the call in slot i wants helpers.</summary>
        [FieldOffset(256)]
        public long OpenCalls;

        /// <summary>Threads asleep, less those that somebody is about to wake.</summary>
        [FieldOffset(384)]
        public int Parked;

        /// <summary>Threads that look for work right now.</summary>
        [FieldOffset(512)]
        public int Searching;

        /// <summary>Runs in progress that may use more than one thread.</summary>
        [FieldOffset(640)]
        public int Runs;
    }
}
