using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Graphene.Hashing;

namespace Graphene.Runtime;

/// <summary>What hashes a file has; the values are part of the file format.</summary>
internal enum FileHashKind
{
    /// <summary>128 bits at the speed of memory, for the cache: a changed bit goes unnoticed once in about 2^64 times.</summary>
    Fast = 1,

    /// <summary>SHA-256: what bundles had before, which are still read.</summary>
    Sha256 = 2,

    /// <summary>BLAKE3, for what leaves the machine: nobody can make other bytes with the same hash.</summary>
    Blake3 = 3,
}

/// <summary>The hash of a section, made of those of its pieces of a mebibyte, which processors share.</summary>
/// <remarks>
/// Hashes alone find damage, not malice: whoever can write the file can write its hashes too, unless they are signed. So the cache,
/// where constants may be hundreds of megabytes on the way to a first answer, has fast ones. Those of 16 bytes are followed by
/// zeros. BLAKE3 is a tree whose subtrees the pieces are; of the others the hashes of the pieces and the length are hashed once more.
/// </remarks>
internal static unsafe class SectionHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = 32;

    /// <summary>Bytes of a piece: a multiple of a page, and of what one step takes.</summary>
    public const int PieceBytes = 1 << 20;

    private const int FastSize = 16;
    private const int StepBytes = 64;

    // Up to here the code that is compiled ahead of time is done before a faster one is compiled.
    private const long BytesWorthCompiling = 16 << 20;

    /// <summary>Whether nobody can make other bytes with the same hash.</summary>
    public static bool IsCryptographic(FileHashKind kind) => kind is FileHashKind.Sha256 or FileHashKind.Blake3;

    /// <summary>Hashes bytes.</summary>
    public static byte[] Compute(FileHashKind kind, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            return Compute(kind, pointer, bytes.Length);
        }
    }

    /// <summary>Hashes a range of memory.</summary>
    public static byte[] Compute(FileHashKind kind, byte* pointer, long length) =>
        PendingHash.Begin(kind, pointer, length, isMapped: false).End();

    /// <summary>Hashes bytes that are nowhere in one piece.</summary>
    /// <param name="kind">Which hash.</param>
    /// <param name="bytes">Gives them.</param>
    public static byte[] Compute(FileHashKind kind, ConstantImage bytes)
    {
        byte[] pieces = new byte[SizeOfPieces(kind, bytes.Length)];
        byte[] buffer = new byte[Math.Min(PieceBytes, bytes.Length)];
        for (int number = 0; number < PieceCount(bytes.Length); number++)
        {
            Span<byte> piece = buffer.AsSpan(0, LengthOfPiece(number, bytes.Length));
            bytes.CopyTo((long)number * PieceBytes, piece);
            fixed (byte* first = piece)
            {
                HashPiece(kind, first, piece.Length, number, bytes.Length, pieces);
            }
        }
        return Join(kind, pieces, bytes.Length);
    }

    /// <summary>The number of pieces; an empty section has one.</summary>
    public static int PieceCount(long length) => checked((int)Math.Max(1, (length + PieceBytes - 1) / PieceBytes));

    /// <summary>The bytes of one piece.</summary>
    public static int LengthOfPiece(int number, long length) => (int)Math.Min(PieceBytes, length - ((long)number * PieceBytes));

    /// <summary>The bytes that the hashes of all pieces take.</summary>
    public static int SizeOfPieces(FileHashKind kind, long length) => checked(PieceCount(length) * SizeOf(kind));

    /// <summary>Hashes one piece.</summary>
    /// <param name="kind">Which hash.</param>
    /// <param name="piece">Its first byte.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="number">Which piece it is.</param>
    /// <param name="length">The bytes of the section.</param>
    /// <param name="pieces">Receives its hash, at its place.</param>
    public static void HashPiece(FileHashKind kind, byte* piece, int size, int number, long length, byte[] pieces)
    {
        fixed (byte* hashes = pieces)
        {
            byte* hash = hashes + (number * SizeOf(kind));
            if (kind != FileHashKind.Blake3)
            {
                Hash(kind, piece, size, hash);
            }
            else if (length <= PieceBytes)
            {
                Array.Copy(Blake3.HashAtOnce(piece, size), pieces, Size);
            }
            else if (length < BytesWorthCompiling)
            {
                Blake3.PieceAtOnce(piece, size, FirstChunk(number), (uint*)hash);
            }
            else
            {
                Blake3.Piece(new ReadOnlySpan<byte>(piece, size), FirstChunk(number), new Span<uint>(hash, Blake3.HashWords));
            }
        }
    }

    /// <summary>The hash of the section.</summary>
    /// <param name="kind">Which hash.</param>
    /// <param name="pieces">The hashes of all pieces.</param>
    /// <param name="length">The bytes of the section.</param>
    public static byte[] Join(FileHashKind kind, byte[] pieces, long length)
    {
        if (kind == FileHashKind.Blake3)
        {
            fixed (byte* words = pieces)
            {
                return length <= PieceBytes ? pieces : Blake3.Join((uint*)words, pieces.Length / Size);
            }
        }
        return JoinLinear(kind, pieces, length);
    }

    /// <summary>Whether two hashes are equal. No span: a start would load the types that comparing those takes.</summary>
    public static bool AreEqual(byte[] hash, byte[] expected)
    {
        bool areEqual = hash.Length == expected.Length;
        for (int i = 0; areEqual && i < hash.Length; i++)
        {
            areEqual = hash[i] == expected[i];
        }
        return areEqual;
    }

    private static byte[] JoinLinear(FileHashKind kind, byte[] pieces, long length)
    {
        byte[] all = new byte[(length == 0 ? 0 : pieces.Length) + sizeof(long)];
        Array.Copy(pieces, all, all.Length - sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(all.AsSpan(all.Length - sizeof(long)), length);
        byte[] hash = new byte[Size];
        fixed (byte* input = all)
        {
            fixed (byte* output = hash)
            {
                Hash(kind, input, all.Length, output);
            }
        }
        return hash;
    }

    private static long FirstChunk(int piece) => (long)piece * (PieceBytes / Blake3.ChunkBytes);

    private static int SizeOf(FileHashKind kind) => kind == FileHashKind.Fast ? FastSize : Size;

    private static void Hash(FileHashKind kind, byte* bytes, int length, byte* hash)
    {
        if (kind == FileHashKind.Fast)
        {
            HashFast(new ReadOnlySpan<byte>(bytes, length), new Span<byte>(hash, FastSize));
        }
        else
        {
            Sha256(new ReadOnlySpan<byte>(bytes, length), new Span<byte>(hash, Size));
        }
    }

    // Apart, because whoever is compiled with a call into the library loads it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Sha256(ReadOnlySpan<byte> bytes, Span<byte> hash) => SHA256.HashData(bytes, hash);

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
