using System.Runtime.InteropServices;

namespace Graphene;

/// <summary>A fast 64-bit hash for finding equal constants; equality is always confirmed by comparing the bytes.</summary>
internal static class ContentHashing
{
    private const ulong Prime1 = 0x9E3779B97F4A7C15;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;

    public static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong a = seed + Prime1;
        ulong b = seed ^ Prime2;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        int i = 0;
        for (; i + 1 < words.Length; i += 2)
        {
            a = Mix(a ^ words[i], Prime1);
            b = Mix(b ^ words[i + 1], Prime2);
        }
        if (i < words.Length)
        {
            a = Mix(a ^ words[i], Prime1);
        }
        foreach (byte rest in bytes[(words.Length * 8)..])
        {
            b = Mix(b ^ rest, Prime2);
        }
        return Mix(a ^ (ulong)bytes.Length, b | 1);
    }

    private static ulong Mix(ulong x, ulong y)
    {
        ulong high = Math.BigMul(x, y, out ulong low);
        return high ^ low;
    }
}
