namespace Graphene.Optimizer;

/// <summary>
/// How much of the arena is in use at each step while values move into the memory of others; typical
/// values stand for symbols.
/// </summary>
internal sealed class PeakUse
{
    private readonly long[] _bytes;
    private readonly long _peak;

    /// <param name="drafter">The steps and values.</param>
    public PeakUse(PlanDrafter drafter)
    {
        _bytes = new long[drafter.StepCount];
        foreach (Slot slot in drafter.Values.Select(v => v.Slot.Root).Distinct())
        {
            Add(slot, slot.Live, 1);
        }
        _peak = _bytes.DefaultIfEmpty(0).Max();
    }

    /// <summary>A size with typical values for symbols.</summary>
    public static long Bytes(Dim size)
    {
        try
        {
            return size.Evaluate(ListScheduler.TypicalValue);
        }
        catch (OverflowException)
        {
            return long.MaxValue >> 16;
        }
    }

    /// <summary>Whether the peak stays what it was when some slots move into another.</summary>
    public bool TryMove(IReadOnlyList<Slot> slots, Slot whole)
    {
        Move(slots, whole);
        LiveInterval live = LiveTogether(slots, whole);
        bool fits = true;
        for (int step = live.First; step <= live.Last && fits; step++)
        {
            fits = _bytes[step] <= _peak;
        }
        Undo(slots, whole);
        return fits;
    }

    /// <summary>Notes that some slots move into another; to be called before they do.</summary>
    public void Move(IReadOnlyList<Slot> slots, Slot whole) => Change(slots, whole, 1);

    private void Undo(IReadOnlyList<Slot> slots, Slot whole) => Change(slots, whole, -1);

    private void Change(IReadOnlyList<Slot> slots, Slot whole, int sign)
    {
        foreach (Slot slot in slots)
        {
            Add(slot, slot.Live, -sign);
        }
        Add(whole, whole.Live, -sign);
        Add(whole, LiveTogether(slots, whole), sign);
    }

    private static LiveInterval LiveTogether(IReadOnlyList<Slot> slots, Slot whole) =>
        slots.Aggregate(whole.Live, (live, slot) => live.Union(slot.Live));

    private void Add(Slot slot, LiveInterval live, int sign)
    {
        if (slot.Kind is not null || slot.IsPart)
        {
            return;
        }
        long bytes = sign * Bytes(slot.SizeInBytes);
        for (int step = live.First; step <= live.Last; step++)
        {
            _bytes[step] += bytes;
        }
    }
}
