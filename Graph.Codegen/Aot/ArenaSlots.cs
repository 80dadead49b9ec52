using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>
/// Places for temporary buffers whose sizes depend on symbols: buffers that are never in use at the same time share a slot, which is
/// as large as the largest of them. Where a slot begins is the sum of the slots before it, so that it is a formula over the dims.
/// </summary>
/// <remarks>
/// <code>
/// a: steps 0-1, 4*n bytes     slot 0: a, c    max(4*n, 256) bytes at 0
/// b: steps 1-2, 8*n bytes     slot 1: b       8*n bytes behind it
/// c: steps 2-3, 256 bytes
/// </code>
/// A session packs anew for every set of sizes (<see cref="ArenaPacking"/>) and may need less.
/// </remarks>
internal sealed class ArenaSlots
{
    // Which of two sizes is the larger one is judged by symbols of about this size.
    private const long TypicalSymbol = 64;

    private readonly List<Slot> _slots = [];

    private ArenaSlots()
    {
    }

    /// <summary>The sizes of which the largest is the size of each slot.</summary>
    public IReadOnlyList<IReadOnlyList<Dim>> Sizes => [.. _slots.Select(s => s.Sizes)];

    /// <summary>The slot of each temporary buffer, by its place in the plan.</summary>
    public SortedDictionary<int, int> SlotOf { get; } = [];

    /// <summary>Assigns slots.</summary>
    /// <param name="buffers">The buffers of a plan; only temporary ones take part.</param>
    public static ArenaSlots Assign(IReadOnlyList<BufferSpec> buffers)
    {
        var slots = new ArenaSlots();
        IEnumerable<int> temps = Enumerable.Range(0, buffers.Count)
            .Where(i => buffers[i].Kind == BufferKind.Temp)
            .OrderByDescending(i => Typical(buffers[i].SizeInBytes)).ThenBy(i => i);
        foreach (int i in temps)
        {
            slots.Add(i, buffers[i].SizeInBytes, new LiveInterval(buffers[i].FirstStep, buffers[i].LastStep));
        }
        return slots;
    }

    // The largest come first, so a slot that is free is hardly ever too small.
    private void Add(int buffer, Dim size, LiveInterval live)
    {
        long typical = Typical(size);
        int best = -1;
        long leastGrowth = typical; // that of a slot of its own
        for (int s = 0; s < _slots.Count; s++)
        {
            long growth = _slots[s].GrowthFor(size, typical);
            if (_slots[s].IsFree(live) && growth < leastGrowth)
            {
                (best, leastGrowth) = (s, growth);
            }
        }
        if (best < 0)
        {
            best = _slots.Count;
            _slots.Add(new Slot());
        }
        _slots[best].Take(size, typical, live);
        SlotOf.Add(buffer, best);
    }

    private static long Typical(Dim size)
    {
        try
        {
            return size.Evaluate(s => Math.Clamp(TypicalSymbol, s.Min, s.Max));
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            return long.MaxValue;
        }
    }

    private sealed class Slot
    {
        // More would make long formulas of little use.
        private const int MostSizes = 6;

        private readonly List<LiveInterval> _taken = [];
        private long _typical;

        /// <summary>None of them is known to be at most another one.</summary>
        public List<Dim> Sizes { get; } = [];

        public bool IsFree(LiveInterval live) => !_taken.Exists(t => t.Overlaps(live));

        /// <summary>What a size would add for typical symbols; a lot when the formula would become long.</summary>
        public long GrowthFor(Dim size, long typical) =>
            Sizes.Count < MostSizes || Sizes.Exists(s => IsAtMost(size, s)) ? Math.Max(0, typical - _typical) : long.MaxValue;

        public void Take(Dim size, long typical, LiveInterval live)
        {
            _taken.Add(live);
            _typical = Math.Max(_typical, typical);
            if (!Sizes.Exists(s => IsAtMost(size, s)))
            {
                Sizes.RemoveAll(s => IsAtMost(s, size));
                Sizes.Add(size);
            }
        }

        private static bool IsAtMost(Dim left, Dim right)
        {
            try
            {
                return (left - right).Range.Max <= 0;
            }
            catch (OverflowException)
            {
                return false;
            }
        }
    }
}
