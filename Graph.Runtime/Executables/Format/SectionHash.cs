using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime;

/// <summary>What hashes a file has; the values are part of the file format.</summary>
internal enum FileHashKind
{
    /// <summary>128 bits at the speed of memory, for the cache: a changed bit goes unnoticed once in about 2^64 times.</summary>
    Fast = 1,

    /// <summary>SHA-256, for what leaves the machine: nobody can make other bytes with the same hash.</summary>
    Sha256 = 2,
}

/// <summary>The hash of a section: a hash of those of its pieces of a mebibyte and of its length; processors share the pieces.</summary>
/// <remarks>
/// Hashes alone find damage, not malice: whoever can write the file can write its hashes too, unless they are signed. So the cache,
/// where constants may be hundreds of megabytes on the way to a first answer, has fast ones. Those of 16 bytes are followed by
/// zeros.
/// </remarks>
internal static unsafe class SectionHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 32;

    // A multiple of a page and of what one step takes.
    private const int PieceBytes = 1 << 20;
    private const int PiecesPerThread = 4; // of fast hashes; others take longer
    private const int FastSize = 16;
    private const int StepBytes = 64;

    /// <summary>Hashes bytes.</summary>
    public static byte[] Compute(FileHashKind kind, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            return Compute(kind, pointer, bytes.Length);
        }
    }

    /// <summary>Hashes a range of memory.</summary>
    public static byte[] Compute(FileHashKind kind, byte* pointer, long length) => Compute(kind, pointer, length, isMapped: false);

    /// <summary>Hashes part of a mapped file, and leaves none of its pages behind that nobody else used.</summary>
    /// <param name="kind">Which hash.</param>
    /// <param name="pointer">The first byte, on a page.</param>
    /// <param name="length">How many there are.</param>
    public static byte[] ComputeMapped(FileHashKind kind, byte* pointer, long length) => Compute(kind, pointer, length, isMapped: true);

    /// <summary>Hashes bytes that are nowhere in one piece.</summary>
    /// <param name="kind">Which hash.</param>
    /// <param name="bytes">Gives them.</param>
    public static byte[] Compute(FileHashKind kind, ConstantImage bytes)
    {
        int hashBytes = kind == FileHashKind.Fast ? FastSize : Size;
        byte[] buffer = new byte[PieceBytes];
        using var hashes = new MemoryStream();
        byte[] pieceHash = new byte[hashBytes];
        for (long offset = 0; offset < bytes.Length; offset += PieceBytes)
        {
            Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(PieceBytes, bytes.Length - offset));
            bytes.CopyTo(offset, piece);
            HashPiece(kind, piece, pieceHash);
            hashes.Write(pieceHash);
        }
        byte[] length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
        hashes.Write(length);
        byte[] hash = new byte[Size];
        HashPiece(kind, hashes.ToArray(), hash);
        return hash;
    }

    private static byte[] Compute(FileHashKind kind, byte* pointer, long length, bool isMapped)
    {
        int pieces = checked((int)((length + PieceBytes - 1) / PieceBytes));
        int hashBytes = kind == FileHashKind.Fast ? FastSize : Size;
        byte[] hashes = new byte[(pieces * hashBytes) + sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(hashes.AsSpan(pieces * hashBytes), length);
        int next = -1;
        void HashPieces()
        {
            int piece;
            while ((piece = Interlocked.Increment(ref next)) < pieces)
            {
                byte* start = pointer + ((long)piece * PieceBytes);
                int size = (int)Math.Min(PieceBytes, pointer + length - start);
                HashPiece(kind, new ReadOnlySpan<byte>(start, size), hashes.AsSpan(piece * hashBytes, hashBytes));
                if (isMapped && OperatingSystem.IsLinux())
                {
                    // The system keeps the file's pages; a constant that no run reads need not count as this process's memory.
                    _ = Libc.Madvise(start, (nuint)size, Libc.MadviseDontNeed);
                }
            }
        }
        // Threads of our own start sooner than the process's pool, and a start from the cache is what waits for this.
        var helpers = new Thread[Math.Clamp(pieces / (kind == FileHashKind.Fast ? PiecesPerThread : 2), 1, Environment.ProcessorCount) - 1];
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
        HashPiece(kind, hashes, hash);
        return hash;
    }

    private static void HashPiece(FileHashKind kind, ReadOnlySpan<byte> bytes, Span<byte> hash)
    {
        if (kind == FileHashKind.Fast)
        {
            HashFast(bytes, hash);
        }
        else
        {
            SHA256.HashData(bytes, hash);
        }
    }

    // Compiled at once for the processor at hand: code made ahead of time would call a function for each wide product.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HashFast(ReadOnlySpan<byte> bytes, Span<byte> hash)
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
