using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>The hash of a section: a fast 128-bit hash of those of its pieces, which processors share.</summary>
/// <remarks>
/// Hashes of an executable find damage, not malice: whoever can write the file can write its hashes too. So constants, which may
/// be hundreds of megabytes on the way to a first answer, are hashed at the speed of memory; a changed bit goes unnoticed once
/// in about 2^64 times.
/// </remarks>
internal static unsafe class SectionHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 16;

    // A multiple of a page and of what one step takes.
    private const int PieceBytes = 1 << 20;
    private const int PiecesPerThread = 4;
    private const int StepBytes = 64;

    /// <summary>Hashes bytes.</summary>
    public static byte[] Compute(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            return Compute(pointer, bytes.Length);
        }
    }

    /// <summary>Hashes a range of memory.</summary>
    public static byte[] Compute(byte* pointer, long length) => Compute(pointer, length, isMapped: false);

    /// <summary>Hashes part of a mapped file, and leaves none of its pages behind that nobody else used.</summary>
    /// <param name="pointer">The first byte, on a page.</param>
    /// <param name="length">How many there are.</param>
    public static byte[] ComputeMapped(byte* pointer, long length) => Compute(pointer, length, isMapped: true);

    private static byte[] Compute(byte* pointer, long length, bool isMapped)
    {
        int pieces = checked((int)((length + PieceBytes - 1) / PieceBytes));
        byte[] hashes = new byte[(pieces * Size) + sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(hashes.AsSpan(pieces * Size), length);
        int next = -1;
        void HashPieces()
        {
            int piece;
            while ((piece = Interlocked.Increment(ref next)) < pieces)
            {
                byte* start = pointer + ((long)piece * PieceBytes);
                int size = (int)Math.Min(PieceBytes, pointer + length - start);
                HashPiece(new ReadOnlySpan<byte>(start, size), hashes.AsSpan(piece * Size, Size));
                if (isMapped && OperatingSystem.IsLinux())
                {
                    // The system keeps the file's pages; a constant that no run reads need not count as this process's memory.
                    _ = Libc.Madvise(start, (nuint)size, Libc.MadviseDontNeed);
                }
            }
        }
        // Threads of our own start sooner than the process's pool, and a start from the cache is what waits for this.
        var helpers = new Thread[Math.Clamp(pieces / PiecesPerThread, 1, Environment.ProcessorCount) - 1];
        for (int i = 0; i < helpers.Length; i++)
        {
            helpers[i] = new Thread(HashPieces) { IsBackground = true, Name = "graphene hash" };
            helpers[i].Start();
        }
        HashPieces();
        foreach (Thread helper in helpers)
        {
            helper.Join();
        }
        byte[] hash = new byte[Size];
        HashPiece(hashes, hash);
        return hash;
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
