namespace Graphene.Codegen;

/// <summary>Which threads of a task are active.</summary>
internal sealed class SimtMask
{
    private readonly byte[] _flags;

    /// <summary>Creates a mask without active threads.</summary>
    public SimtMask(int threads) => _flags = new byte[threads];

    /// <summary>The first active thread.</summary>
    public int Low { get; private set; }

    /// <summary>One more than the last active thread.</summary>
    public int High { get; private set; }

    /// <summary>How many are active.</summary>
    public int Count { get; private set; }

    /// <summary>How many threads there are from the first active one to the last.</summary>
    public int Reach => High - Low;

    /// <summary>Whether all threads between the first active one and the last are active.</summary>
    public bool IsSolid => Count == High - Low;

    /// <summary>Whether all threads of the task are active.</summary>
    public bool IsAll => Count == _flags.Length;

    /// <summary>Whether a thread is active.</summary>
    public bool this[int thread] => _flags[thread] != 0;

    /// <summary>Makes all threads active.</summary>
    public void SetAll()
    {
        Array.Fill(_flags, (byte)1);
        (Low, High, Count) = (0, _flags.Length, _flags.Length);
    }

    /// <summary>Makes the threads of some warps active.</summary>
    public void SetWarps(int first, int end)
    {
        Array.Clear(_flags);
        (Low, High) = (first * KThreads.WarpSize, end * KThreads.WarpSize);
        Count = High - Low;
        _flags.AsSpan(Low, Count).Fill(1);
    }

    /// <summary>Makes those threads active that are so in another mask, and for which a condition is as wanted.</summary>
    /// <param name="outer">The other mask, or this one itself.</param>
    /// <param name="condition">A flag per thread.</param>
    /// <param name="wanted">1 or 0.</param>
    public void Set(SimtMask outer, ReadOnlySpan<byte> condition, byte wanted)
    {
        (int low, int high, int count) = (0, 0, 0);
        int from = outer.Low;
        int to = outer.High;
        _flags.AsSpan(0, from).Clear();
        for (int t = from; t < to; t++)
        {
            bool isActive = outer._flags[t] != 0 && condition[t] == wanted;
            _flags[t] = isActive ? (byte)1 : (byte)0;
            if (isActive)
            {
                low = count == 0 ? t : low;
                high = t + 1;
                count++;
            }
        }
        _flags.AsSpan(to).Clear();
        (Low, High, Count) = (low, high, count);
    }

    /// <summary>Whether all threads of a warp are active, or none; null for some.</summary>
    public bool? Warp(int warp)
    {
        int active = 0;
        foreach (byte flag in _flags.AsSpan(warp * KThreads.WarpSize, KThreads.WarpSize))
        {
            active += flag;
        }
        return active == 0 ? false : active == KThreads.WarpSize ? true : null;
    }

    /// <summary>The active threads as text, such as <c>0..31, 64</c>.</summary>
    public override string ToString()
    {
        var ranges = new List<string>();
        for (int t = Low; t < High; t++)
        {
            int first = t;
            while (t < High && _flags[t] != 0)
            {
                t++;
            }
            if (t > first)
            {
                ranges.Add(t == first + 1 ? $"{first}" : $"{first}..{t - 1}");
            }
        }
        return ranges.Count == 0 ? "none" : ranges.Count <= 8 ? string.Join(", ", ranges) : string.Join(", ", ranges.Take(8)) + ", ...";
    }
}
