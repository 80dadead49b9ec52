namespace Graphene.Runtime;

/// <summary>Places temporary buffers in one arena so that buffers needed at the same step never overlap.</summary>
/// <remarks>
/// Large buffers first, each at the lowest offset where it meets no buffer that lives when it does. For equal sizes
/// the earlier
/// one goes first, so a layout is a function of its inputs alone. Source: greedy by size for offset calculation,
/// in "Efficient Memory Management for Deep Neural Net Inference" (Pisarchyk and Lee, 2020), section 5.
/// </remarks>
public static class ArenaLayout
{
    /// <summary>Computes the offsets.</summary>
    /// <param name="sizes">Bytes of each buffer.</param>
    /// <param name="firstSteps">The first step at which each is needed.</param>
    /// <param name="lastSteps">The last step, included.</param>
    /// <param name="offsets">Receives the offsets, multiples of <see cref="NativeBlock.Alignment"/>.</param>
    /// <returns>The bytes that the arena needs.</returns>
    /// <exception cref="OverflowException">The arena would not fit into 63 bits.</exception>
    public static long Pack(long[] sizes, int[] firstSteps, int[] lastSteps, long[] offsets)
    {
        int[] order = [.. Enumerable.Range(0, sizes.Length)];
        Array.Sort(order, (a, b) =>
            sizes[a] != sizes[b] ? sizes[b].CompareTo(sizes[a])
            : firstSteps[a] != firstSteps[b] ? firstSteps[a].CompareTo(firstSteps[b])
            : a.CompareTo(b));
        var placed = new List<int>(sizes.Length); // by offset
        long arena = 0;
        foreach (int buffer in order)
        {
            long size = Align(sizes[buffer]);
            long offset = 0;
            foreach (int other in placed)
            {
                bool meets = firstSteps[buffer] <= lastSteps[other] && firstSteps[other] <= lastSteps[buffer];
                if (meets && offsets[other] - offset >= size)
                {
                    break; // the gap before this one is large enough
                }
                if (meets)
                {
                    offset = Math.Max(offset, offsets[other] + Align(sizes[other]));
                }
            }
            offsets[buffer] = offset;
            arena = Math.Max(arena, checked(offset + size));
            int position = placed.FindLastIndex(other => offsets[other] <= offset) + 1;
            placed.Insert(position, buffer);
        }
        return arena;
    }

    private static long Align(long size) =>
        checked(size + NativeBlock.Alignment - 1) & ~(long)(NativeBlock.Alignment - 1);
}
