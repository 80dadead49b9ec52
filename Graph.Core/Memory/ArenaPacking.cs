namespace Graphene;

/// <summary>When a buffer is in use: from its first to its last step, both included.</summary>
/// <param name="First">The first step.</param>
/// <param name="Last">The last step.</param>
public readonly record struct LiveInterval(int First, int Last)
{
    /// <summary>True when both are in use at some step.</summary>
    public bool Overlaps(LiveInterval other) => First <= other.Last && other.First <= Last;

    /// <summary>The smallest interval that holds both.</summary>
    public LiveInterval Union(LiveInterval other) => new(Math.Min(First, other.First), Math.Max(Last, other.Last));
}

/// <summary>Places buffers that live at different times into one block of memory.</summary>
/// <remarks>
/// Sizes may depend on the values of symbolic dims, intervals never do. So the compiler and the runtime call this one function:
/// what the compiler predicts is what the runtime allocates. The result depends on the arguments only.
/// Buffers are placed one after the other, each into the smallest gap that is free for its whole interval (best fit), in three
/// orders (largest first, largest size times duration first, earliest first); the smallest of the three arenas wins.
/// </remarks>
public static class ArenaPacking
{
    /// <summary>Every offset is a multiple of this: a cache line, and enough for any vector type.</summary>
    public const int AlignmentInBytes = 64;

    /// <summary>Computes where each buffer lies.</summary>
    /// <param name="sizesInBytes">The size of each buffer; 0 takes no space.</param>
    /// <param name="intervals">When each buffer is in use.</param>
    /// <param name="offsets">Receives the place of each buffer, a multiple of <see cref="AlignmentInBytes"/>.</param>
    /// <returns>The size of the arena in bytes.</returns>
    /// <exception cref="ArgumentException">The spans differ in length, or a size is negative.</exception>
    /// <exception cref="OverflowException">The arena does not fit 64 bits.</exception>
    public static long Pack(ReadOnlySpan<long> sizesInBytes, ReadOnlySpan<LiveInterval> intervals, Span<long> offsets)
    {
        if (intervals.Length != sizesInBytes.Length || offsets.Length != sizesInBytes.Length)
        {
            throw new ArgumentException($"{sizesInBytes.Length} sizes, {intervals.Length} intervals, {offsets.Length} offsets");
        }
        long[] sizes = new long[sizesInBytes.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(sizesInBytes[i], nameof(sizesInBytes));
            sizes[i] = checked((sizesInBytes[i] + AlignmentInBytes - 1) / AlignmentInBytes * AlignmentInBytes);
        }
        LiveInterval[] live = intervals.ToArray();
        long best = long.MaxValue;
        var candidate = new long[sizes.Length];
        foreach (int[] order in Orders(sizes, live))
        {
            long size = Place(order, sizes, live, candidate);
            if (size < best)
            {
                best = size;
                candidate.CopyTo(offsets);
            }
        }
        return best;
    }

    /// <summary>The most bytes that are in use at one step: no packing can be smaller.</summary>
    /// <param name="sizesInBytes">The size of each buffer.</param>
    /// <param name="intervals">When each buffer is in use.</param>
    public static long LowerBound(ReadOnlySpan<long> sizesInBytes, ReadOnlySpan<LiveInterval> intervals)
    {
        var changes = new SortedDictionary<int, long>();
        for (int i = 0; i < sizesInBytes.Length; i++)
        {
            changes[intervals[i].First] = changes.GetValueOrDefault(intervals[i].First) + sizesInBytes[i];
            changes[intervals[i].Last + 1] = changes.GetValueOrDefault(intervals[i].Last + 1) - sizesInBytes[i];
        }
        long now = 0;
        long most = 0;
        foreach (long change in changes.Values)
        {
            now += change;
            most = Math.Max(most, now);
        }
        return most;
    }

    private static IEnumerable<int[]> Orders(long[] sizes, LiveInterval[] live)
    {
        int[] all = [.. Enumerable.Range(0, sizes.Length)];
        yield return [.. all.OrderByDescending(i => sizes[i]).ThenBy(i => live[i].First).ThenBy(i => i)];
        yield return [.. all.OrderByDescending(i => (Int128)sizes[i] * (live[i].Last - live[i].First + 1)).ThenBy(i => i)];
        yield return [.. all.OrderBy(i => live[i].First).ThenByDescending(i => sizes[i]).ThenBy(i => i)];
    }

    private static long Place(int[] order, long[] sizes, LiveInterval[] live, long[] offsets)
    {
        long arena = 0;
        var placed = new List<int>(order.Length); // by offset
        foreach (int buffer in order)
        {
            if (sizes[buffer] == 0)
            {
                offsets[buffer] = 0;
                continue;
            }
            offsets[buffer] = BestGap(buffer, placed, sizes, live, offsets);
            arena = Math.Max(arena, checked(offsets[buffer] + sizes[buffer]));
            int at = placed.Count;
            while (at > 0 && offsets[placed[at - 1]] > offsets[buffer])
            {
                at--;
            }
            placed.Insert(at, buffer);
        }
        return arena;
    }

    // The smallest gap between buffers in use at the same time; behind the last of them when none is large enough.
    private static long BestGap(int buffer, List<int> placed, long[] sizes, LiveInterval[] live, long[] offsets)
    {
        long free = 0;
        long best = -1;
        long bestSize = long.MaxValue;
        foreach (int other in placed)
        {
            if (!live[other].Overlaps(live[buffer]))
            {
                continue;
            }
            long gap = offsets[other] - free;
            if (gap >= sizes[buffer] && gap < bestSize)
            {
                (best, bestSize) = (free, gap);
            }
            free = Math.Max(free, checked(offsets[other] + sizes[other]));
        }
        return best >= 0 ? best : free;
    }
}
