using System.Globalization;
using System.Numerics;
using Graphene.Runtime.Interop;
using Graphene.Runtime.Threads;

namespace Graphene.Runtime;

/// <content>The helpers' side: threads that look for calls, join them, and sleep when none comes.</content>
public sealed unsafe partial class ComputePool
{
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
                    Name = "graphene-" + (_workers + 1).ToString(CultureInfo.InvariantCulture), // interpolation would load a pool of arrays
                };
                var threads = new Thread[_threads.Length + 1];
                Array.Copy(_threads, threads, _threads.Length);
                threads[^1] = thread;
                _threads = threads;
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
        for (int looks = LooksBeforeYields; !_stopping; looks = LooksBetweenYields)
        {
            for (int i = 0; i < looks; i++)
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
}
