namespace Graphene.Data;

/// <summary>Random orders that are the same wherever they are computed.</summary>
/// <remarks>
/// Fisher and Yates' shuffle with the numbers of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
/// OOPSLA 2014), whose state begins at a mixture of seed and epoch. A number below n is the upper half of its product with n.
/// </remarks>
internal static class Permutation
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>The numbers 0..count-1 in an order that seed and epoch decide.</summary>
    public static int[] Of(int count, long seed, long epoch)
    {
        int[] order = new int[count];
        for (int i = 0; i < count; i++)
        {
            order[i] = i;
        }
        ulong state = unchecked(Mix((ulong)seed + Golden) ^ ((ulong)epoch * 0xD1342543DE82EF95));
        for (int i = count - 1; i > 0; i--)
        {
            state = unchecked(state + Golden);
            int other = (int)Math.BigMul(Mix(state), (ulong)(i + 1), out _);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    private static ulong Mix(ulong x)
    {
        unchecked
        {
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            return x ^ (x >> 31);
        }
    }
}
