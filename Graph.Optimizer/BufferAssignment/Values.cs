namespace Graphene.Optimizer;

/// <summary>One tensor that lies in memory for a while. Its names (reshape, tuple access) are the same value.</summary>
internal sealed class Value(int id, TensorType type, int definedAt)
{
    public int Id { get; } = id;

    public TensorType Type { get; } = type;

    /// <summary>The step that writes it.</summary>
    public int DefinedAt { get; } = definedAt;

    /// <summary>The last step that reads it; for what a loop carries, the last step of the loop at least.</summary>
    public int LastUse { get; private set; } = definedAt;

    /// <summary>The last step inside of its loop that reads it before the next round's value takes its place.</summary>
    public int LastUseInRound { get; private set; } = definedAt;

    /// <summary>The memory it lies in.</summary>
    public Slot Slot { get; set; } = null!;

    public void ReadAt(int step)
    {
        LastUse = Math.Max(LastUse, step);
        LastUseInRound = Math.Max(LastUseInRound, step);
        Slot?.Extend(step);
    }

    /// <summary>The loop that carries it needs it until its last step.</summary>
    public void KeepUntil(int step)
    {
        LastUse = Math.Max(LastUse, step);
        Slot?.Extend(step);
    }
}

/// <summary>
/// A piece of memory: one value, or several that take turns. Slots merge; the one that remains is found
/// by <see cref="Root"/>.
/// </summary>
internal sealed class Slot
{
    private Slot? _mergedInto;
    private Slot? _whole;

    public Slot(Value value)
    {
        SizeInBytes = value.Type.SizeInBytes;
        Live = new LiveInterval(value.DefinedAt, value.LastUse);
    }

    /// <summary>The slot that this one is part of now.</summary>
    public Slot Root
    {
        get
        {
            Slot slot = this;
            while (slot._mergedInto is not null)
            {
                slot = slot._mergedInto;
            }
            return slot;
        }
    }

    /// <summary>The slot that this one is a part of; null for memory of its own.</summary>
    public Slot? Whole => _whole?.Root;

    /// <summary>Whether this slot is a part of another.</summary>
    public bool IsPart => _whole is not null;

    /// <summary>What a part whose rows lie apart holds of its whole; null for every other slot.</summary>
    public PartBox? Box { get; private set; }

    /// <summary>Where a part begins in its whole.</summary>
    public Dim OffsetInBytes { get; private set; }

    /// <summary>The memory that this slot is in the end a part of; itself when it is no part.</summary>
    public Slot Home
    {
        get
        {
            Slot slot = Root;
            while (slot.Whole is { } whole)
            {
                slot = whole;
            }
            return slot;
        }
    }

    /// <summary>Where this slot begins in its home.</summary>
    public Dim OffsetInHome
    {
        get
        {
            Dim offset = 0;
            for (Slot? slot = Root; slot is not null; slot = slot.Whole)
            {
                offset += slot.OffsetInBytes;
            }
            return offset;
        }
    }

    public Dim SizeInBytes { get; }

    public LiveInterval Live { get; private set; }

    /// <summary>Memory that is not the arena's; null for the arena.</summary>
    public BufferKind? Kind { get; private set; }

    /// <summary>The number of the parameter or result.</summary>
    public int Number { get; private set; }

    public Literal? Constant { get; private set; }

    /// <summary>False for constants and for parameters that nothing was donated to.</summary>
    public bool IsWritable { get; private set; } = true;

    /// <summary>The index in the pointer table, once it is known.</summary>
    public int Index { get; set; } = -1;

    public void Pin(BufferKind kind, int number, bool isWritable, Literal? constant = null)
    {
        Kind = kind;
        Number = number;
        IsWritable = isWritable;
        Constant = constant;
    }

    public void Extend(int step) => Root.Extend(new LiveInterval(step, step));

    /// <summary>Makes this slot, which has memory of its own so far, a part of another.</summary>
    public void PlaceIn(Slot whole, Dim offsetInBytes)
    {
        Slot root = Root;
        root._whole = whole.Root;
        root.OffsetInBytes = offsetInBytes;
        whole.Root.Extend(root.Live);
    }

    /// <summary>Makes this slot, which is as large as another and has memory of its own so far, a box of that.</summary>
    public void PlaceIn(Slot whole, PartBox box)
    {
        Root.Box = box;
        PlaceIn(whole, 0);
    }

    // A whole is in use when one of its parts is.
    private void Extend(LiveInterval live)
    {
        for (Slot? slot = this; slot is not null; slot = slot.Whole)
        {
            slot.Live = slot.Live.Union(live);
        }
    }

    /// <summary>Makes two slots one. At most one of them may be pinned; the second may not be a part.</summary>
    public static void Merge(Slot first, Slot second)
    {
        (Slot a, Slot b) = (first.Root, second.Root);
        if (ReferenceEquals(a, b))
        {
            return;
        }
        if (b.Kind is not null)
        {
            (a, b) = (b, a);
        }
        a.Extend(b.Live);
        b._mergedInto = a;
    }
}
