namespace Graphene.Runtime;

/// <summary>Computes sizes and places of a plan's buffers from the symbols' values.</summary>
internal sealed class BufferSizer
{
    private readonly BufferSpec[] _buffers;
    private readonly DimProgram[] _sizes;
    private readonly DimProgram?[] _offsets;
    private readonly int[] _temps;
    private readonly LiveInterval[] _live; // of each temporary buffer
    private readonly bool _isPlaced;

    /// <summary>Prepares for a plan.</summary>
    public BufferSizer(ExecutablePlan plan, SignatureBinder binder)
    {
        _buffers = plan.BufferTable;
        _sizes = new DimProgram[_buffers.Length];
        _offsets = new DimProgram?[_buffers.Length];
        int temps = 0;
        for (int i = 0; i < _buffers.Length; i++)
        {
            _sizes[i] = binder.Compile(_buffers[i].SizeInBytes);
            _offsets[i] = _buffers[i].Offset is { } offset ? binder.Compile(offset) : null;
            temps += _buffers[i].Kind == BufferKind.Temp ? 1 : 0;
        }
        _temps = new int[temps];
        _live = new LiveInterval[temps];
        _isPlaced = true;
        temps = 0;
        for (int i = 0; i < _buffers.Length; i++)
        {
            if (_buffers[i].Kind == BufferKind.Temp)
            {
                _temps[temps] = i;
                _live[temps++] = new LiveInterval(_buffers[i].FirstStep, _buffers[i].LastStep);
                _isPlaced &= _offsets[i] is not null;
            }
        }
    }

    /// <summary>Computes everything.</summary>
    /// <returns>Bytes and offset of each buffer, and the bytes of the arena.</returns>
    /// <exception cref="GraphException">GR6201: a size is impossible for these values.</exception>
    public BufferPlaces Compute(long[] symbols)
    {
        long[] bytes = new long[_buffers.Length];
        long[] offsets = new long[_buffers.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = SignatureBinder.Evaluate(_sizes[i], symbols);
            offsets[i] = _offsets[i] is { } offset ? SignatureBinder.Evaluate(offset, symbols) : 0;
            if (bytes[i] < 0)
            {
                throw Impossible(i, $"{bytes[i]} bytes");
            }
        }
        for (int i = 0; i < bytes.Length; i++)
        {
            if (_buffers[i] is { Kind: BufferKind.Alias, Index: var whole }
                && !PlanVerifier.LiesInside(offsets[i], bytes[i], bytes[whole]))
            {
                throw Impossible(i, $"{bytes[i]} bytes at {offsets[i]} of {bytes[whole]}");
            }
        }
        return new BufferPlaces(bytes, offsets, _isPlaced ? PlacedArena(bytes, offsets) : PackArena(bytes, offsets));
    }

    private long PlacedArena(long[] bytes, long[] offsets)
    {
        long end = 0;
        foreach (int i in _temps)
        {
            end = Math.Max(end, offsets[i] + bytes[i]);
        }
        const long Mask = ArenaPacking.AlignmentInBytes - 1;
        return (end + Mask) & ~Mask;
    }

    private long PackArena(long[] bytes, long[] offsets)
    {
        long[] sizes = new long[_temps.Length];
        long[] packed = new long[_temps.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = bytes[_temps[i]];
        }
        try
        {
            long arena = ArenaPacking.Pack(sizes, _live, packed);
            for (int i = 0; i < packed.Length; i++)
            {
                offsets[_temps[i]] = packed[i];
            }
            return arena;
        }
        catch (OverflowException e)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch, "the shapes that were fed need more scratch memory than there can be",
                fix: "feed smaller tensors", inner: e);
        }
    }

    private static GraphException Impossible(int buffer, string what) => new(
        RuntimeDiagnostics.ShapeMismatch,
        $"the shapes that were fed make a buffer impossible (number {buffer}: {what})",
        fix: "feed tensors of shapes that the graph can take");
}

/// <summary>Bytes and offset of each buffer, and the bytes of the arena.</summary>
internal sealed record BufferPlaces(long[] Bytes, long[] Offsets, long ArenaBytes);
