using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene;

/// <summary>A fast 64-bit hash for finding equal constants; equality is always confirmed by comparing the bytes.</summary>
internal struct ContentHashing
{
    /// <summary>All parts but the last must be a multiple of this long.</summary>
    public const int BlockBytes = 16;

    private const ulong Prime1 = 0x9E3779B97F4A7C15;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;

    private ulong _a;
    private ulong _b;
    private ulong _length;

    public ContentHashing(ulong seed)
    {
        _a = seed + Prime1;
        _b = seed ^ Prime2;
    }

    /// <summary>Takes the next part of the bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // code made ahead of time would call a function for each wide product
    public void Add(ReadOnlySpan<byte> bytes)
    {
        ulong a = _a;
        ulong b = _b;
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
        _a = a;
        _b = b;
        _length += (ulong)bytes.Length;
    }

    /// <summary>The hash of all parts; the same however they were cut.</summary>
    public readonly ulong Finish() => Mix(_a ^ _length, _b | 1);

    private static ulong Mix(ulong x, ulong y)
    {
        ulong high = Math.BigMul(x, y, out ulong low);
        return high ^ low;
    }
}
