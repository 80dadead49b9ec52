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
public static unsafe partial class Blake3
{
    /// <summary>Bytes of a chunk.</summary>
    public const int ChunkBytes = 1024;

    /// <summary>32-bit words of a chaining value, and of the hash.</summary>
    public const int HashWords = 8;

    internal const int BlockBytes = 64;
    internal const int BlockWords = BlockBytes / sizeof(uint);
    internal const int Rounds = 7;

    // Code for eight lanes is compiled when it is first used, which takes as long as this many bytes without.
    private const int BytesWorthLanes = 1 << 16;
    private const int ValuesWorthLanes = BytesWorthLanes / ChunkBytes;

    internal const uint ChunkStart = 1;
    internal const uint ChunkEnd = 2;
    internal const uint Parent = 4;
    private const uint Root = 8;

    /// <summary>The initial chaining value, of SHA-256.</summary>
    /// <remarks>In code, like the order of words: constant data is a type of its own, which a start would wait for.</remarks>
    /// <param name="word">Which of its words.</param>
    internal static uint InitialValue(int word) => word switch
    {
        0 => 0x6A09E667,
        1 => 0xBB67AE85,
        2 => 0x3C6EF372,
        3 => 0xA54FF53A,
        4 => 0x510E527F,
        5 => 0x9B05688C,
        6 => 0x1F83D9AB,
        _ => 0x5BE0CD19,
    };

    /// <summary>Which word of the message goes where in a round, in groups of four bits, the first one the lowest.</summary>
    /// <param name="round">One of the seven.</param>
    internal static ulong WordsOf(int round) => round switch
    {
        0 => 0xFEDCBA9876543210,
        1 => 0x8FE95CB1D407A362,
        2 => 0x18FB0956E72DCA43,
        3 => 0x61852B04FD3E9C7A,
        4 => 0x461035278EAFB9DC,
        5 => 0x7462A03D1FC85BE9,
        _ => 0xD743C2AE689105FB,
    };

    /// <summary>The order of words in all rounds, for whoever would have to write registers to memory at each call.</summary>
    /// <param name="order">Receives <see cref="Rounds"/> values.</param>
    internal static void WriteOrder(ulong* order)
    {
        for (int round = 0; round < Rounds; round++)
        {
            order[round] = WordsOf(round);
        }
    }

    /// <summary>The numbers of chunks that lanes hash side by side.</summary>
    /// <param name="counters">Receives the low words of all lanes, then the high words.</param>
    /// <param name="lanes">How many.</param>
    /// <param name="first">The number of the first.</param>
    internal static void WriteCounters(uint* counters, int lanes, ulong first)
    {
        for (int lane = 0; lane < lanes; lane++)
        {
            ulong number = first + (ulong)lane;
            counters[lane] = (uint)number;
            counters[lanes + lane] = (uint)(number >> 32);
        }
    }

    /// <summary>The counters of parents, which have no numbers.</summary>
    /// <inheritdoc cref="WriteCounters"/>
    internal static void ClearCounters(uint* counters, int lanes)
    {
        for (int i = 0; i < 2 * lanes; i++)
        {
            counters[i] = 0;
        }
    }

    /// <summary>The hash of one piece of data that is all there is.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* input = bytes)
        {
            return Hash(input, bytes.Length, bytes.Length >= BytesWorthLanes);
        }
    }

    /// <summary>The chaining value of a piece.</summary>
    /// <param name="bytes">The piece: 2^n whole chunks, unless it is the last.</param>
    /// <param name="firstChunk">The number of its first chunk in all of the data; a multiple of the chunks in a piece.</param>
    /// <param name="value">Receives the value.</param>
    public static void Piece(ReadOnlySpan<byte> bytes, long firstChunk, Span<uint> value)
    {
        fixed (byte* input = bytes)
        {
            fixed (uint* output = value[..HashWords])
            {
                Subtree(input, bytes.Length, (ulong)firstChunk, isRoot: false, bytes.Length >= BytesWorthLanes, output);
            }
        }
    }

    /// <summary>As <see cref="Piece"/>, by code that was compiled ahead of time: where all of the data is a few megabytes.</summary>
    internal static void PieceAtOnce(byte* bytes, int length, long firstChunk, uint* value) =>
        Subtree(bytes, length, (ulong)firstChunk, isRoot: false, mayCompile: false, value);

    /// <summary>As <see cref="Hash(ReadOnlySpan{byte})"/>, by code that was compiled ahead of time.</summary>
    internal static byte[] HashAtOnce(byte* bytes, int length) => Hash(bytes, length, mayCompile: false);

    /// <summary>The hash of two or more pieces.</summary>
    /// <param name="values">Their chaining values in order; overwritten.</param>
    public static byte[] Join(Span<uint> values)
    {
        fixed (uint* first = values)
        {
            return Join(first, values.Length / HashWords);
        }
    }

    /// <summary>As <see cref="Join(Span{uint})"/>.</summary>
    internal static byte[] Join(uint* values, int count)
    {
        Reduce(values, count, isRoot: true, count >= ValuesWorthLanes);
        return ToBytes(values);
    }

    private static byte[] Hash(byte* bytes, int length, bool mayCompile)
    {
        uint* hash = stackalloc uint[HashWords];
        Subtree(bytes, length, 0, isRoot: true, mayCompile, hash);
        return ToBytes(hash);
    }

    private static void Subtree(byte* bytes, int length, ulong firstChunk, bool isRoot, bool mayCompile, uint* value)
    {
        int chunks = Math.Max(1, (int)(((long)length + ChunkBytes - 1) / ChunkBytes));
        if (chunks == 1)
        {
            Chunk(bytes, length, firstChunk, isRoot ? Root : 0, value);
            return;
        }
        uint[] all = new uint[chunks * HashWords];
        fixed (uint* values = all)
        {
            int whole = length / ChunkBytes;
            int done = mayCompile ? Blake3Lanes.Chunks(bytes, whole, firstChunk, values) : 0;
            done += Blake3Quads.Chunks(
                bytes + ((long)done * ChunkBytes), whole - done, firstChunk + (ulong)done, values + (done * HashWords));
            for (; done < chunks; done++)
            {
                int begin = done * ChunkBytes;
                Chunk(bytes + begin, Math.Min(ChunkBytes, length - begin), firstChunk + (ulong)done, 0, values + (done * HashWords));
            }
            Reduce(values, chunks, isRoot, mayCompile);
            Copy(values, value);
        }
    }

    // Level by level in place; a value without a neighbour goes up as it is.
    private static void Reduce(uint* values, int count, bool isRoot, bool mayCompile)
    {
        uint* parent = stackalloc uint[HashWords];
        while (count > 1)
        {
            int pairs = count / 2;
            // The root is hashed alone, with a flag of its own.
            int done = mayCompile && count >= ValuesWorthLanes ? Blake3Lanes.Parents(values, pairs)
                : pairs > 1 ? Blake3Quads.Parents(values, pairs)
                : 0;
            for (; done < pairs; done++)
            {
                Begin(parent);
                Compress(parent, values + (done * 2 * HashWords), 0, BlockBytes, Parent | (isRoot && count == 2 ? Root : 0));
                Copy(parent, values + (done * HashWords));
            }
            if (count % 2 == 1)
            {
                Copy(values + ((count - 1) * HashWords), values + (pairs * HashWords));
            }
            count = pairs + (count % 2);
        }
    }

    private static byte[] ToBytes(uint* words)
    {
        byte[] bytes = new byte[HashWords * sizeof(uint)];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(words[i / sizeof(uint)] >> (8 * (i % sizeof(uint))));
        }
        return bytes;
    }
}
