using System.Runtime.InteropServices;

namespace Graphene.Runtime.Threads;

/// <summary>One parallel_for in progress: what to run, who works on it, and what is left.</summary>
/// <remarks>
/// <para>
/// The tasks are split twice, by arithmetic alone. First into one contiguous <i>share</i> per thread, so that
/// neighbouring
/// tasks meet in one cache; then each share into a few <i>grains</i>. A thread takes the grains of its own share in
/// order and
/// then those that others have left, so a thread that never came, or was descheduled, costs nobody more than one grain.
/// </para>
/// <code>
/// tasks   0 1 2 3 4 5 6 7 | 8 9 10 11 12 13 14 15        2 threads: 2 shares
/// grains  0 0 1 1 2 2 3 3 | 0 0 1  1  2  2  3  3         4 grains each, handed out by a counter per share
/// </code>
/// <para>
/// Calls live in slots of native memory that a pool keeps for its whole life, so a thread that looks at a slot too
/// late reads
/// a stale call, never freed memory; and it cannot join one, because joining is a compare-and-swap on
/// <see cref="State"/>,
/// which is zero between calls.
/// </para>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ParallelCall
{
    /// <summary>Grains per share: enough to even out a slow thread, few enough that a kernel's own set-up stays
    /// small.</summary>
    public const int GrainsPerShare = 4;

    /// <summary>Bytes between two share counters: two cache lines, since processors fetch lines in pairs.</summary>
    public const int ShareStride = 128;

    private const long WorkersMask = 0xFFFF;
    private const int TicketShift = 16;
    private const long Ticket = 1L << TicketShift;
    private const long TicketsMask = 0xFFFFL << TicketShift;
    private const long CallerSleeps = 1L << 32;

    public NativeContext* Context;
    public delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void> Kernel;
    public void** Arguments;
    public long Tasks;

    /// <summary>Shares of this call, which is also how many threads may work on it.</summary>
    public int Shares;

    /// <summary>The first of <see cref="Shares"/> counters of grains taken, <see cref="ShareStride"/> bytes
    /// apart.</summary>
    public byte* GrainsTaken;

    /// <summary>Threads at work (bits 0..15), threads that may still join (16..31), whether the caller sleeps
    /// (32).</summary>
    public long State;

    /// <summary>How many more threads may join.</summary>
    public int OpenTickets => (int)((Volatile.Read(ref State) & TicketsMask) >> TicketShift);

    /// <summary>How many threads work on the call now.</summary>
    public int Workers => (int)(Volatile.Read(ref State) & WorkersMask);

    /// <summary>Lets other threads join; everything else must be set. The caller counts as at work.</summary>
    public void Publish() => Volatile.Write(ref State, 1 | ((long)(Shares - 1) << TicketShift));

    /// <summary>Joins as a helper.</summary>
    /// <returns>The share to start with, or -1 when the call is over or has all the threads that it may have.</returns>
    public int TryJoin()
    {
        while (true)
        {
            long state = Volatile.Read(ref State);
            long tickets = (state & TicketsMask) >> TicketShift;
            if (tickets == 0 || (state & WorkersMask) == 0)
            {
                return -1;
            }
            if (Interlocked.CompareExchange(ref State, state - Ticket + 1, state) == state)
            {
                // Shares may be read now: the call cannot end while this thread counts as at work.
                return Shares - (int)tickets;
            }
        }
    }

    /// <summary>Leaves as a helper.</summary>
    /// <returns>Whether the caller sleeps and must be woken by this thread.</returns>
    public bool Leave() => (Interlocked.Add(ref State, -1) & (WorkersMask | CallerSleeps)) == CallerSleeps;

    /// <summary>Leaves as the caller: nobody can join from here on.</summary>
    /// <returns>Whether no helper is left.</returns>
    public bool Close()
    {
        while (true)
        {
            long state = Volatile.Read(ref State);
            long closed = (state & ~TicketsMask) - 1;
            if (Interlocked.CompareExchange(ref State, closed, state) == state)
            {
                return closed == 0;
            }
        }
    }

    /// <summary>Asks the last helper for a wake-up.</summary>
    /// <returns>False when there is no helper any more.</returns>
    public bool TrySleep()
    {
        while (true)
        {
            long state = Volatile.Read(ref State);
            if (state == 0)
            {
                return false;
            }
            if (Interlocked.CompareExchange(ref State, state | CallerSleeps, state) == state)
            {
                return true;
            }
        }
    }

    /// <summary>Runs grains, first of the given share, then of the others, until none is left or the run is to
    /// stop.</summary>
    public readonly void Work(int firstShare)
    {
        for (int i = 0; i < Shares; i++)
        {
            int share = firstShare + i < Shares ? firstShare + i : firstShare + i - Shares;
            var (begin, count) = Part(0, Tasks, share, Shares);
            int grains = (int)Math.Min(GrainsPerShare, count);
            ref int taken = ref *(int*)(GrainsTaken + ((long)share * ShareStride));
            while (Volatile.Read(ref taken) < grains)
            {
                int grain = Interlocked.Increment(ref taken) - 1;
                if (grain >= grains)
                {
                    break;
                }
                if (MustStop(Context))
                {
                    return;
                }
                var (first, size) = Part(begin, count, grain, grains);
                Kernel(Context, Arguments, first, first + size);
            }
        }
    }

    /// <summary>Whether no more tasks of this run should start.</summary>
    public static bool MustStop(NativeContext* context) =>
        (context->Cancel != null && Volatile.Read(ref *context->Cancel) != 0)
        || Volatile.Read(ref *(int*)&context->Error) != 0;

    /// <summary>Part <paramref name="index"/> of <paramref name="parts"/> nearly equal parts of a range.</summary>
    public static (long Begin, long Count) Part(long begin, long count, int index, int parts)
    {
        long size = count / parts;
        long larger = count % parts;
        return (begin + (size * index) + Math.Min(index, larger), size + (index < larger ? 1 : 0));
    }
}
