using System.Runtime.InteropServices;
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
/// left, and a call that finds every thread busy runs on its own. Free threads join the call with the fewest helpers,
/// so concurrent sessions share the pool evenly. Calls allocate no managed memory.
/// </para>
/// <para>The split depends on the call's bound only, never on which thread came when; see <see cref="ParallelCall"/>.</para>
/// </remarks>
public sealed unsafe partial class ComputePool : IDisposable
{
    /// <summary>The most threads a pool may have.</summary>
    public const int MaxWidth = DebugOptions.MaxThreads;

    private const int MaxCalls = 64;

    // A look takes some 40 nanoseconds and yielding the processor several hundred, in which a call that comes is not seen. Most kernels
    // of a run follow each other sooner than so many looks take.
    private const int LooksBeforeYields = 64;
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
    private Thread[] _threads = [];
#pragma warning disable IDE0330 // a lock of the newer kind reads its settings first, which a start would wait for
    private readonly object _growth = new();
#pragma warning restore IDE0330
    private readonly bool _spin;
    private GCHandle _handle;
    private volatile int _workers;
    private volatile bool _stopping;

    private State _state;

    /// <summary>Creates a pool of its own, for tests and for hosts that partition a machine.</summary>
    /// <param name="width">The most threads, the caller's included, that work on one call: 1 to <see cref="MaxWidth"/>.</param>
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
    /// <param name="maxThreads">The most threads for this run; 0 means the pool's width. More than the width is cut.</param>
    public void Attach(NativeContext* context, int maxThreads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxThreads);
        int threads = maxThreads == 0 ? Width : Math.Min(maxThreads, Width);
        context->Threads = threads;
        context->ParallelFor = &ParallelFor;
        context->Pool = (void*)GCHandle.ToIntPtr(_handle);
        EnsureWorkers(threads - 1);
    }

    /// <summary>Starts the threads that are not there yet, for a run that is about to come.</summary>
    internal void StartWorkers() => EnsureWorkers(Width - 1);

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
            threads = _threads;
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
        int width = Math.Min(DebugOptions.ThreadsFromEnvironment() ?? budget.Threads, MaxWidth);
        return new ComputePool(width, budget.AllowsSpinning(width));
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
