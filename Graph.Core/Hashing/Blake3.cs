using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Graphene.Hashing;

/// <summary>BLAKE3 of data that is given in pieces, which any threads may hash.</summary>
/// <remarks>
/// <code>
///            root                    a parent hashes the two values below it
///           /    \
///       parent   parent              left of it always stands a full tree of 2^n chunks,
///       /    \   /   \               so a piece of 2^n chunks is a subtree of its own
///    chunk chunk chunk chunk         1024 bytes each, the last one what is left
/// </code>
/// Collision-resistant like SHA-256, but made of independent chunks, which vector lanes hash side by side: several times the
/// speed of the SHA-256 instructions. Source: J. O'Connor, J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn, BLAKE3 (2020), section 2.
/// </remarks>
public static class Blake3
{
    /// <summary>Bytes of a chunk.</summary>
    public const int ChunkBytes = 1024;

    /// <summary>32-bit words of a chaining value, and of the hash.</summary>
    public const int HashWords = 8;

    internal const int BlockBytes = 64;

    // Code for eight lanes is compiled when it is first used, which takes as long as this many bytes without.
    private const int BytesWorthLanes = 1 << 16;
    private const int ValuesWorthLanes = BytesWorthLanes / ChunkBytes;

    internal const uint ChunkStart = 1;
    internal const uint ChunkEnd = 2;
    internal const uint Parent = 4;
    private const uint Root = 8;

    /// <summary>The initial chaining value, of SHA-256.</summary>
    internal static ReadOnlySpan<uint> InitialValue =>
    [
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
    ];

    /// <summary>Which word of the message goes where in each of the seven rounds.</summary>
    internal static ReadOnlySpan<byte> Schedule =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
        3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1,
        10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6,
        12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4,
        9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7,
        11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13,
    ];

    /// <summary>The hash of one piece of data that is all there is.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> bytes)
    {
        Span<uint> hash = stackalloc uint[HashWords];
        Subtree(bytes, 0, isRoot: true, bytes.Length >= BytesWorthLanes, hash);
        return ToBytes(hash);
    }

    /// <summary>The chaining value of a piece.</summary>
    /// <param name="bytes">The piece: 2^n whole chunks, unless it is the last.</param>
    /// <param name="firstChunk">The number of its first chunk in all of the data; a multiple of the chunks in a piece.</param>
    /// <param name="value">Receives the value.</param>
    public static void Piece(ReadOnlySpan<byte> bytes, long firstChunk, Span<uint> value) =>
        Subtree(bytes, (ulong)firstChunk, isRoot: false, bytes.Length >= BytesWorthLanes, value);

    /// <summary>As <see cref="Piece"/>, by code that was compiled ahead of time: where all of the data is a few megabytes.</summary>
    internal static void PieceAtOnce(ReadOnlySpan<byte> bytes, long firstChunk, Span<uint> value) =>
        Subtree(bytes, (ulong)firstChunk, isRoot: false, mayCompile: false, value);

    /// <summary>As <see cref="Hash"/>, by code that was compiled ahead of time.</summary>
    internal static byte[] HashAtOnce(ReadOnlySpan<byte> bytes)
    {
        Span<uint> hash = stackalloc uint[HashWords];
        Subtree(bytes, 0, isRoot: true, mayCompile: false, hash);
        return ToBytes(hash);
    }

    /// <summary>The hash of two or more pieces.</summary>
    /// <param name="values">Their chaining values in order; overwritten.</param>
    public static byte[] Join(Span<uint> values)
    {
        Reduce(values, values.Length / HashWords, isRoot: true, values.Length / HashWords >= ValuesWorthLanes);
        return ToBytes(values[..HashWords]);
    }

    private static void Subtree(ReadOnlySpan<byte> bytes, ulong firstChunk, bool isRoot, bool mayCompile, Span<uint> value)
    {
        int chunks = Math.Max(1, (bytes.Length + ChunkBytes - 1) / ChunkBytes);
        if (chunks == 1)
        {
            Chunk(bytes, firstChunk, isRoot ? Root : 0, value);
            return;
        }
        uint[] values = new uint[chunks * HashWords];
        int done = mayCompile ? Blake3Lanes.Chunks(bytes, firstChunk, values) : 0;
        done += Blake3Quads.Chunks(bytes[(done * ChunkBytes)..], firstChunk + (ulong)done, new Span<uint>(values, done * HashWords, (chunks - done) * HashWords));
        for (; done < chunks; done++)
        {
            ReadOnlySpan<byte> chunk = bytes[(done * ChunkBytes)..];
            Chunk(chunk[..Math.Min(ChunkBytes, chunk.Length)], firstChunk + (ulong)done, 0, new Span<uint>(values, done * HashWords, HashWords));
        }
        Reduce(values, chunks, isRoot, mayCompile);
        new Span<uint>(values, 0, HashWords).CopyTo(value);
    }

    // Level by level in place; a value without a neighbour goes up as it is.
    private static void Reduce(Span<uint> values, int count, bool isRoot, bool mayCompile)
    {
        Span<uint> parent = stackalloc uint[HashWords];
        while (count > 1)
        {
            int pairs = count / 2;
            // The root is hashed alone, with a flag of its own.
            int done = mayCompile && count >= ValuesWorthLanes ? Blake3Lanes.Parents(values, pairs)
                : pairs > 1 ? Blake3Quads.Parents(values, pairs)
                : 0;
            for (; done < pairs; done++)
            {
                InitialValue.CopyTo(parent);
                Compress(
                    parent, MemoryMarshal.AsBytes(values.Slice(done * 2 * HashWords, 2 * HashWords)), 0, BlockBytes,
                    Parent | (isRoot && count == 2 ? Root : 0));
                parent.CopyTo(values[(done * HashWords)..]);
            }
            if (count % 2 == 1)
            {
                values.Slice((count - 1) * HashWords, HashWords).CopyTo(values[(pairs * HashWords)..]);
            }
            count = pairs + (count % 2);
        }
    }

    private static void Chunk(ReadOnlySpan<byte> bytes, ulong number, uint rootFlag, Span<uint> value)
    {
        Span<byte> padded = stackalloc byte[BlockBytes];
        InitialValue.CopyTo(value);
        uint flags = ChunkStart;
        while (bytes.Length > BlockBytes)
        {
            Compress(value, bytes[..BlockBytes], number, BlockBytes, flags);
            bytes = bytes[BlockBytes..];
            flags = 0;
        }
        padded.Clear();
        bytes.CopyTo(padded);
        Compress(value, padded, number, (uint)bytes.Length, flags | ChunkEnd | rootFlag);
    }

    private static void Compress(Span<uint> value, ReadOnlySpan<byte> block, ulong counter, uint length, uint flags)
    {
        Span<uint> m = stackalloc uint[16];
        for (int i = 0; i < m.Length; i++)
        {
            m[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]);
        }
        Span<uint> v = stackalloc uint[16];
        value.CopyTo(v);
        InitialValue[..4].CopyTo(v[8..]);
        v[12] = (uint)counter;
        v[13] = (uint)(counter >> 32);
        v[14] = length;
        v[15] = flags;
        for (int at = 0; at < Schedule.Length; at += 16)
        {
            ReadOnlySpan<byte> s = Schedule.Slice(at, 16);
            Mix(ref v[0], ref v[4], ref v[8], ref v[12], m[s[0]], m[s[1]]);
            Mix(ref v[1], ref v[5], ref v[9], ref v[13], m[s[2]], m[s[3]]);
            Mix(ref v[2], ref v[6], ref v[10], ref v[14], m[s[4]], m[s[5]]);
            Mix(ref v[3], ref v[7], ref v[11], ref v[15], m[s[6]], m[s[7]]);
            Mix(ref v[0], ref v[5], ref v[10], ref v[15], m[s[8]], m[s[9]]);
            Mix(ref v[1], ref v[6], ref v[11], ref v[12], m[s[10]], m[s[11]]);
            Mix(ref v[2], ref v[7], ref v[8], ref v[13], m[s[12]], m[s[13]]);
            Mix(ref v[3], ref v[4], ref v[9], ref v[14], m[s[14]], m[s[15]]);
        }
        for (int i = 0; i < HashWords; i++)
        {
            value[i] = v[i] ^ v[i + 8];
        }
    }

    private static void Mix(ref uint a, ref uint b, ref uint c, ref uint d, uint x, uint y)
    {
        a += b + x;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 12);
        a += b + y;
        d = BitOperations.RotateRight(d ^ a, 8);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 7);
    }

    private static byte[] ToBytes(ReadOnlySpan<uint> words)
    {
        byte[] bytes = new byte[words.Length * sizeof(uint)];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), words[i]);
        }
        return bytes;
    }
}
