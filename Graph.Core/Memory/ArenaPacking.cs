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
/// It is part of a compiled model's first run, so it keeps away from generic code, which each process would compile.
/// </remarks>
public static class ArenaPacking
{
    /// <summary>Every offset is a multiple of this: a cache line, and enough for any vector type.</summary>
    public const int AlignmentInBytes = 64;

    // The orders. No enumeration: whatever is a type of its own must be loaded.
    private const int BySize = 0;
    private const int BySizeTimesDuration = 1;
    private const int ByStart = 2;

    /// <summary>Computes where each buffer lies.</summary>
    /// <param name="sizesInBytes">The size of each buffer; 0 takes no space.</param>
    /// <param name="intervals">When each buffer is in use.</param>
    /// <param name="offsets">Receives the place of each buffer, a multiple of <see cref="AlignmentInBytes"/>.</param>
    /// <returns>The size of the arena in bytes.</returns>
    /// <exception cref="ArgumentException">The arrays differ in length, or a size is negative.</exception>
    /// <exception cref="OverflowException">The arena does not fit 64 bits.</exception>
    public static long Pack(long[] sizesInBytes, LiveInterval[] intervals, long[] offsets)
    {
        if (intervals.Length != sizesInBytes.Length || offsets.Length != sizesInBytes.Length)
        {
            throw new ArgumentException($"{sizesInBytes.Length} sizes, {intervals.Length} intervals, {offsets.Length} offsets");
        }
        long[] sizes = new long[sizesInBytes.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizesInBytes[i] < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(sizesInBytes), $"buffer {i} has {sizesInBytes[i]} bytes");
            }
            sizes[i] = checked((sizesInBytes[i] + AlignmentInBytes - 1) / AlignmentInBytes * AlignmentInBytes);
        }
        long best = long.MaxValue;
        var candidate = new long[sizes.Length];
        int[] order = new int[sizes.Length];
        int[] placed = new int[sizes.Length];
        for (int by = BySize; by <= ByStart; by++)
        {
            Sort(order, by, sizes, intervals);
            long size = Place(order, placed, sizes, intervals, candidate);
            if (size < best)
            {
                best = size;
                Array.Copy(candidate, offsets, candidate.Length);
            }
        }
        return best;
    }

    /// <summary>The most bytes that are in use at one step: no packing can be smaller.</summary>
    /// <param name="sizesInBytes">The size of each buffer.</param>
    /// <param name="intervals">When each buffer is in use.</param>
    public static long LowerBound(long[] sizesInBytes, LiveInterval[] intervals)
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

    // Heap sort; the order is total, so that which algorithm sorts makes no difference.
    private static void Sort(int[] buffers, int by, long[] sizes, LiveInterval[] live)
    {
        for (int i = 0; i < buffers.Length; i++)
        {
            buffers[i] = i;
        }
        for (int i = (buffers.Length / 2) - 1; i >= 0; i--)
        {
            SiftDown(i, buffers.Length);
        }
        for (int end = buffers.Length - 1; end > 0; end--)
        {
            (buffers[0], buffers[end]) = (buffers[end], buffers[0]);
            SiftDown(0, end);
        }

        // The last in order is at the top of a heap.
        void SiftDown(int parent, int end)
        {
            while ((2 * parent) + 1 < end)
            {
                int child = (2 * parent) + 1;
                if (child + 1 < end && IsBefore(buffers[child], buffers[child + 1]))
                {
                    child++;
                }
                if (!IsBefore(buffers[parent], buffers[child]))
                {
                    return;
                }
                (buffers[parent], buffers[child]) = (buffers[child], buffers[parent]);
                parent = child;
            }
        }

        bool IsBefore(int a, int b)
        {
            if (by == BySizeTimesDuration)
            {
                double first = Area(a);
                double second = Area(b);
                return first != second ? first > second : a < b;
            }
            bool isLarger = sizes[a] > sizes[b];
            bool isEarlier = live[a].First < live[b].First;
            bool haveOneSize = sizes[a] == sizes[b];
            bool haveOneStart = live[a].First == live[b].First;
            return by == BySize
                ? !haveOneSize ? isLarger : !haveOneStart ? isEarlier : a < b
                : !haveOneStart ? isEarlier : !haveOneSize ? isLarger : a < b;
        }

        double Area(int i) => (double)sizes[i] * (live[i].Last - live[i].First + 1);
    }

    // Those that are placed are kept by offset.
    private static long Place(int[] order, int[] placed, long[] sizes, LiveInterval[] live, long[] offsets)
    {
        long arena = 0;
        int count = 0;
        foreach (int buffer in order)
        {
            if (sizes[buffer] == 0)
            {
                offsets[buffer] = 0;
                continue;
            }
            offsets[buffer] = BestGap(buffer, placed, count, sizes, live, offsets);
            arena = Math.Max(arena, checked(offsets[buffer] + sizes[buffer]));
            int at = count++;
            for (; at > 0 && offsets[placed[at - 1]] > offsets[buffer]; at--)
            {
                placed[at] = placed[at - 1];
            }
            placed[at] = buffer;
        }
        return arena;
    }

    // The smallest gap between buffers in use at the same time; behind the last of them when none is large enough.
    private static long BestGap(int buffer, int[] placed, int count, long[] sizes, LiveInterval[] live, long[] offsets)
    {
        long free = 0;
        long best = -1;
        long bestSize = long.MaxValue;
        for (int i = 0; i < count; i++)
        {
            int other = placed[i];
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
