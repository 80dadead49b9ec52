using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>Remembers for each element of some memory who read and wrote it last, and refuses accesses that are not ordered.</summary>
/// <remarks>
/// Two accesses, one of them a write, by different threads, are ordered when a barrier of the task lies between them,
/// or, for threads of one warp, a barrier of the warp, or, for threads of two, a phase at which the one arrived and for
/// which the other waited. Tasks are never ordered. The last write stands for all before it, since they were ordered
/// before it. Readers need not be ordered: they are remembered as one thread, several of a warp, several of the task,
/// or those of several tasks. Where phases order warps, several of the task are remembered by their warps. What each
/// task has for itself is read only where the task wrote it.
/// </remarks>
/// <param name="granule">The bytes that one entry stands for: those of the smallest element that lies in the memory.</param>
/// <param name="sizeInBytes">The size of the memory.</param>
/// <param name="isShared">Whether each task has such memory of its own.</param>
internal sealed class AccessShadow(int granule, long sizeInBytes, bool isShared)
{
    private const uint OnItsWay = uint.MaxValue;
    private const uint WhoMask = 0xFFF;
    private const int WarpShift = 12;
    private const uint FirstWarp = KThreads.Most;
    private const uint SeveralOfTask = 0xFFE;
    private const uint SeveralTasks = 0xFFF;
    private const uint CopierThread = FirstWarp + RaceClock.Copier;

    private readonly Access[] _accesses = new Access[(sizeInBytes + granule - 1) / granule];

    // For each warp that read an entry in the epoch: one more than the barriers of its own that it had passed.
    private readonly Dictionary<long, uint[]> _warps = [];

    /// <summary>How many entries stand for an element of a size.</summary>
    public int Per(int elementBytes) => Math.Max(1, elementBytes / granule);

    /// <summary>The entry of a byte.</summary>
    public long At(long offset) => offset / granule;

    /// <summary>A thread reads.</summary>
    /// <returns>What is not in order with it: null when all is well.</returns>
    public RaceFinding? Read(RaceClock clock, long first, int count, int thread, int statement)
    {
        uint who = Who(clock, thread);
        for (long entry = first; entry < first + count; entry++)
        {
            ref Access a = ref _accesses[entry];
            if (isShared && a.WriteEpoch < clock.TaskEpoch)
            {
                return RaceFinding.Unwritten;
            }
            if (a.WriteEpoch != 0 && IsConflict(clock, entry, a.WriteEpoch, a.Writer, thread))
            {
                return Finding(a.WriteEpoch, a.Writer, a.WriteStatement, isWrite: true);
            }
            if (a.ReadEpoch != clock.Epoch || a.Reader != who)
            {
                AddReader(clock, entry, ref a, who);
            }
            a.ReadStatement = (ushort)statement;
        }
        return null;
    }

    /// <summary>
    /// Whether a read by any thread is in order and leaves everything as it is: the common case, found without a
    /// look at who reads.
    /// </summary>
    public bool IsSettled(RaceClock clock, long first, int count)
    {
        if (clock.HasPhases)
        {
            return false;
        }
        (uint epoch, uint task) = (clock.Epoch, clock.TaskEpoch);
        foreach (ref Access a in _accesses.AsSpan((int)first, count))
        {
            bool isOrdered = a.WriteEpoch < epoch && (a.WriteEpoch >= task || (a.WriteEpoch == 0 && !isShared));
            if (!isOrdered || a.ReadEpoch != epoch || a.Reader is not (SeveralOfTask or SeveralTasks))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>What was written and is not in order with a thread that reads; nothing is remembered.</summary>
    public RaceFinding? Unordered(RaceClock clock, long first, int count, int thread)
    {
        for (long entry = first; entry < first + count; entry++)
        {
            ref Access a = ref _accesses[entry];
            if (a.WriteEpoch != 0 && IsConflict(clock, entry, a.WriteEpoch, a.Writer, thread))
            {
                return Finding(a.WriteEpoch, a.Writer, a.WriteStatement, isWrite: true);
            }
        }
        return null;
    }

    /// <summary>A thread writes.</summary>
    /// <returns>What is not in order with it: null when all is well.</returns>
    public RaceFinding? Write(RaceClock clock, long first, int count, int thread, int statement)
    {
        uint who = Who(clock, thread);
        for (long entry = first; entry < first + count; entry++)
        {
            ref Access a = ref _accesses[entry];
            if (a.WriteEpoch != 0 && IsConflict(clock, entry, a.WriteEpoch, a.Writer, thread))
            {
                return Finding(a.WriteEpoch, a.Writer, a.WriteStatement, isWrite: true);
            }
            if (a.ReadEpoch != 0 && IsConflict(clock, entry, a.ReadEpoch, a.Reader, thread))
            {
                return Finding(a.ReadEpoch, a.Reader, a.ReadStatement, isWrite: false);
            }
            a.WriteEpoch = clock.Epoch;
            a.Writer = who;
            a.WriteStatement = (ushort)statement;
        }
        return null;
    }

    /// <summary>A copy by a thread, which was allowed to write, is on its way from now on.</summary>
    public void Depart(long first, int count)
    {
        foreach (ref Access a in _accesses.AsSpan((int)first, count))
        {
            a.WriteEpoch = OnItsWay;
        }
    }

    /// <summary>A copy by a thread has arrived; for the others it is as if the thread had written now.</summary>
    public void Arrive(RaceClock clock, long first, int count, int thread)
    {
        uint who = Who(clock, thread);
        foreach (ref Access a in _accesses.AsSpan((int)first, count))
        {
            a.WriteEpoch = clock.Epoch;
            a.Writer = who;
        }
    }

    /// <summary>Whether threads themselves wrote to some entries in the task that runs.</summary>
    public bool IsWrittenByThreads(RaceClock clock, long first, int count)
    {
        foreach (ref Access a in _accesses.AsSpan((int)first, count))
        {
            if (a.WriteEpoch >= clock.TaskEpoch && a.WriteEpoch != OnItsWay && (a.Writer & WhoMask) != CopierThread)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A bulk copy has arrived, for whoever waits for its phase.</summary>
    public void ArriveInBulk(RaceClock clock, long first, int count)
    {
        uint who = CopierThread | (clock.WarpEpoch(RaceClock.Copier) << WarpShift);
        foreach (ref Access a in _accesses.AsSpan((int)first, count))
        {
            a.WriteEpoch = clock.Epoch;
            a.Writer = who;
        }
    }

    private static uint Who(RaceClock clock, int thread) =>
        (uint)thread | (clock.WarpEpoch(thread / KThreads.WarpSize) << WarpShift);

    private void AddReader(RaceClock clock, long entry, ref Access a, uint who)
    {
        uint before = a.Reader & WhoMask;
        bool isOfTask = isShared || a.ReadEpoch >= clock.TaskEpoch;
        if (a.ReadEpoch == 0)
        {
            a.Reader = who;
        }
        else if (before == SeveralTasks || !isOfTask)
        {
            a.Reader = isShared ? who : SeveralTasks;
        }
        else if (a.ReadEpoch != clock.Epoch)
        {
            a.Reader = who;
        }
        else if (before != SeveralOfTask)
        {
            uint warp = (who & WhoMask) / KThreads.WarpSize;
            uint warpBefore = before >= FirstWarp ? before - FirstWarp : before / KThreads.WarpSize;
            uint recent = a.Reader >> WarpShift;
            bool isOrdered = recent < who >> WarpShift;
            a.Reader = warp != warpBefore ? SeveralOfTask
                : isOrdered || before == (who & WhoMask) ? who
                : (FirstWarp + warp) | (who & ~WhoMask);
            if (a.Reader == SeveralOfTask && clock.HasPhases)
            {
                _warps[entry] = new uint[KThreads.Most / KThreads.WarpSize];
                Remember(entry, warpBefore, recent);
                Remember(entry, warp, who >> WarpShift);
            }
        }
        else if (clock.HasPhases)
        {
            Remember(entry, (who & WhoMask) / KThreads.WarpSize, who >> WarpShift);
        }
        a.ReadEpoch = clock.Epoch;
    }

    // Whether an access that was made is not in order with one that a thread makes now.
    private bool IsConflict(RaceClock clock, long entry, uint epoch, uint who, int thread)
    {
        uint other = who & WhoMask;
        if (epoch != clock.Epoch)
        {
            return epoch == OnItsWay || (!isShared && (other == SeveralTasks || epoch < clock.TaskEpoch));
        }
        if (other >= SeveralOfTask)
        {
            return other != SeveralOfTask || !AreKnown(clock, entry, thread);
        }
        uint warp = other >= FirstWarp ? other - FirstWarp : other / KThreads.WarpSize;
        int own = thread / KThreads.WarpSize;
        bool isOrdered = warp == own ? who >> WarpShift < clock.WarpEpoch(own) : clock.Knows(own, (int)warp, who >> WarpShift);
        return other != thread && !isOrdered;
    }

    private void Remember(long entry, uint warp, uint passed)
    {
        if (_warps.TryGetValue(entry, out uint[]? warps))
        {
            warps[warp] = passed + 1;
        }
    }

    // Whether a thread knows that all warps that read an entry have gone on since.
    private bool AreKnown(RaceClock clock, long entry, int thread)
    {
        int own = thread / KThreads.WarpSize;
        if (!clock.HasPhases || !_warps.TryGetValue(entry, out uint[]? warps))
        {
            return false;
        }
        for (int warp = 0; warp < warps.Length; warp++)
        {
            uint passed = warps[warp] - 1;
            if (warps[warp] != 0 && (warp == own ? passed >= clock.WarpEpoch(own) : !clock.Knows(own, warp, passed)))
            {
                return false;
            }
        }
        return true;
    }

    private static RaceFinding Finding(uint epoch, uint who, int statement, bool isWrite)
    {
        uint other = who & WhoMask;
        string thread = other == SeveralTasks ? "several tasks"
            : other == SeveralOfTask ? "several threads"
            : other == CopierThread ? "a bulk copy"
            : other >= FirstWarp ? $"several threads of warp {other - FirstWarp}"
            : $"thread {other}";
        return new RaceFinding(epoch, thread, statement, isWrite, epoch == OnItsWay);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Access
    {
        public uint WriteEpoch;
        public uint Writer;
        public uint ReadEpoch;
        public uint Reader;
        public ushort WriteStatement;
        public ushort ReadStatement;
    }
}

/// <summary>An access that is not in order with another one, or to what nobody wrote.</summary>
/// <param name="Epoch">When it was made.</param>
/// <param name="Who">Who made it.</param>
/// <param name="Statement">The statement that did.</param>
/// <param name="IsWrite">Whether it wrote.</param>
/// <param name="IsOnItsWay">Whether it is a copy that nobody waited for.</param>
internal sealed record RaceFinding(uint Epoch, string Who, int Statement, bool IsWrite, bool IsOnItsWay)
{
    /// <summary>Nobody wrote what is read.</summary>
    public static RaceFinding Unwritten { get; } = new(0, "nobody", 0, true, false);
}
