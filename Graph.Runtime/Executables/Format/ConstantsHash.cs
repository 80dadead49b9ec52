using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>The hash of constants: SHA-256 of fast 128-bit hashes of their pieces.</summary>
/// <remarks>
/// Hashes of an executable find damage, not malice: whoever can write the file can write its hashes too. So constants, which may
/// be hundreds of megabytes on the way to a first answer, are hashed at the speed of memory; a changed bit goes unnoticed once
/// in about 2^64 times.
/// </remarks>
internal static unsafe class ConstantsHash
{
    // A multiple of a page and of what one step takes.
    private const int PieceBytes = 1 << 20;
    private const int StepBytes = 64;
    private const int PieceHashBytes = 16;

    /// <summary>Hashes constants in memory.</summary>
    public static byte[] Compute(byte* pointer, long length) => Compute(pointer, length, isMapped: false);

    /// <summary>Hashes constants in a mapped file, and leaves none of its pages behind that nobody else used.</summary>
    /// <param name="pointer">The first byte, on a page.</param>
    /// <param name="length">How many there are.</param>
    public static byte[] ComputeMapped(byte* pointer, long length) => Compute(pointer, length, isMapped: true);

    private static byte[] Compute(byte* pointer, long length, bool isMapped)
    {
        int pieces = checked((int)((length + PieceBytes - 1) / PieceBytes));
        byte[] hashes = new byte[(pieces * PieceHashBytes) + sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(hashes.AsSpan(pieces * PieceHashBytes), length);
        Parallel.For(0, pieces, new ParallelOptions { MaxDegreeOfParallelism = pieces < 4 ? 1 : -1 }, piece =>
        {
            byte* start = pointer + ((long)piece * PieceBytes);
            int size = (int)Math.Min(PieceBytes, pointer + length - start);
            HashPiece(new ReadOnlySpan<byte>(start, size), hashes.AsSpan(piece * PieceHashBytes, PieceHashBytes));
            if (isMapped && OperatingSystem.IsLinux())
            {
                // The system keeps the file's pages; a constant that no run reads need not count as this process's memory.
                _ = Libc.Madvise(start, (nuint)size, Libc.MadviseDontNeed);
            }
        });
        return SectionHash.Compute(hashes);
    }

    // Compiled at once for the processor at hand: code made ahead of time would call a function for each wide product.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HashPiece(ReadOnlySpan<byte> bytes, Span<byte> hash)
    {
        ulong a = 0x9E3779B97F4A7C15;
        ulong b = 0xC2B2AE3D27D4EB4F;
        ulong c = 0x165667B19E3779F9;
        ulong d = 0x27D4EB2F165667C5;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes[..(bytes.Length / StepBytes * StepBytes)]);
        while (words.Length >= 8)
        {
            a = Mix(a ^ words[0], words[1] ^ 0x8EBC6AF09C88C6E3);
            b = Mix(b ^ words[2], words[3] ^ 0x589965CC75374CC3);
            c = Mix(c ^ words[4], words[5] ^ 0x1D8E4E27C47D124F);
            d = Mix(d ^ words[6], words[7] ^ 0xEB44ACCAB455D165);
            words = words[8..];
        }
        foreach (byte rest in bytes[(bytes.Length / StepBytes * StepBytes)..])
        {
            a = Mix(a ^ rest, 0x8EBC6AF09C88C6E3);
        }
        BinaryPrimitives.WriteUInt64LittleEndian(hash, Mix(a ^ (ulong)bytes.Length, b ^ 0x8EBC6AF09C88C6E3));
        BinaryPrimitives.WriteUInt64LittleEndian(hash[8..], Mix(c ^ (ulong)bytes.Length, d ^ 0x589965CC75374CC3));
    }

    private static ulong Mix(ulong x, ulong y)
    {
        ulong high = Math.BigMul(x, y, out ulong low);
        return high ^ low;
    }
}
