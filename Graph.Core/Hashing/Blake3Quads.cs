using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Graphene.Hashing;

/// <summary>Four chunks of BLAKE3 side by side, in vectors that every processor has: lane i of each belongs to chunk i.</summary>
/// <remarks>
/// <see cref="Blake3Lanes"/> are three times as fast, but compiled when a process first uses them, since they ask which instructions there
/// are. This is compiled ahead of time, for what is short enough that compiling would be most of it.
/// </remarks>
internal static unsafe class Blake3Quads
{
    /// <summary>How many are hashed at a time.</summary>
    public const int Count = 4;

    private static bool AreFast => Vector128.IsHardwareAccelerated && BitConverter.IsLittleEndian;

    /// <summary>Hashes whole chunks that follow one another, as many as fill the lanes.</summary>
    /// <param name="bytes">The chunks.</param>
    /// <param name="whole">How many there are.</param>
    /// <param name="number">Of the first.</param>
    /// <param name="values">Receives a chaining value for each.</param>
    /// <returns>How many were hashed; none where vectors are no faster.</returns>
    public static int Chunks(byte* bytes, int whole, ulong number, uint* values)
    {
        const int Blocks = Blake3.ChunkBytes / Blake3.BlockBytes;
        uint* counters = stackalloc uint[2 * Count]; // the low words, the high words
        int done = 0;
        for (; AreFast && done + Count <= whole; done += Count)
        {
            Blake3.WriteCounters(counters, Count, number + (ulong)done);
            Hash(
                (uint*)(bytes + ((long)done * Blake3.ChunkBytes)), Blake3.ChunkBytes / sizeof(uint), Blocks, counters, Blake3.ChunkStart,
                Blake3.ChunkEnd, values + (done * Blake3.HashWords));
        }
        return done;
    }

    /// <summary>Hashes pairs of chaining values, as many as fill the lanes.</summary>
    /// <param name="values">The values, two for each parent; the parents' take the place of the first of them.</param>
    /// <param name="pairs">How many there are.</param>
    /// <returns>How many were hashed; none where vectors are no faster.</returns>
    public static int Parents(uint* values, int pairs)
    {
        uint* counters = stackalloc uint[2 * Count];
        Blake3.ClearCounters(counters, Count);
        int done = 0;
        for (; AreFast && done + Count <= pairs; done += Count)
        {
            Hash(
                values + (done * 2 * Blake3.HashWords), 2 * Blake3.HashWords, 1, counters, Blake3.Parent, 0,
                values + (done * Blake3.HashWords));
        }
        return done;
    }

    // The lanes' inputs are a number of words apart. Vectors are passed in memory: what has them as arguments is not
    // compiled ahead of time.
    private static void Hash(uint* input, int stride, int blocks, uint* counters, uint firstFlags, uint lastFlags, uint* values)
    {
        uint* h = stackalloc uint[Count * Blake3.HashWords];
        for (int i = 0; i < Count * Blake3.HashWords; i++)
        {
            h[i] = Blake3.InitialValue(i / Count);
        }
        byte* memory = stackalloc byte[(Count * Blake3.BlockBytes) + sizeof(Vector128<uint>)];
        uint* m = (uint*)(((nint)memory + sizeof(Vector128<uint>) - 1) & -sizeof(Vector128<uint>));
        ulong* order = stackalloc ulong[Blake3.Rounds];
        Blake3.WriteOrder(order);
        for (int block = 0; block < blocks; block++)
        {
            Gather(input + (block * 16), stride, m);
            uint flags = (block == 0 ? firstFlags : 0) | (block == blocks - 1 ? lastFlags : 0);
            Compress((Vector128<uint>*)h, (Vector128<uint>*)m, (Vector128<uint>*)counters, flags, order);
        }
        for (int lane = 0; lane < Count; lane++)
        {
            for (int i = 0; i < Blake3.HashWords; i++)
            {
                values[(lane * Blake3.HashWords) + i] = h[(i * Count) + lane];
            }
        }
    }

    // Word w of each lane's block makes vector w.
    private static void Gather(uint* block, int stride, uint* m)
    {
        if (Sse2.IsSupported)
        {
            for (int w = 0; w < 16; w += Count)
            {
                Transpose(block + w, stride, (Vector128<uint>*)m + w);
            }
            return;
        }
        for (int lane = 0; lane < Count; lane++)
        {
            for (int w = 0; w < 16; w++)
            {
                m[(w * Count) + lane] = block[(lane * stride) + w];
            }
        }
    }

    private static void Transpose(uint* rows, int stride, Vector128<uint>* columns)
    {
        Vector128<uint> r0 = *(Vector128<uint>*)rows, r1 = *(Vector128<uint>*)(rows + stride);
        Vector128<uint> r2 = *(Vector128<uint>*)(rows + (2 * stride)), r3 = *(Vector128<uint>*)(rows + (3 * stride));
        Vector128<ulong> a0 = Sse2.UnpackLow(r0, r1).AsUInt64(), a1 = Sse2.UnpackHigh(r0, r1).AsUInt64();
        Vector128<ulong> a2 = Sse2.UnpackLow(r2, r3).AsUInt64(), a3 = Sse2.UnpackHigh(r2, r3).AsUInt64();
        columns[0] = Sse2.UnpackLow(a0, a2).AsUInt32();
        columns[1] = Sse2.UnpackHigh(a0, a2).AsUInt32();
        columns[2] = Sse2.UnpackLow(a1, a3).AsUInt32();
        columns[3] = Sse2.UnpackHigh(a1, a3).AsUInt32();
    }

    private static void Compress(Vector128<uint>* h, Vector128<uint>* m, Vector128<uint>* counters, uint flags, ulong* order)
    {
        Vector128<uint> v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
        Vector128<uint> v8 = Vector128.Create(0x6A09E667u), v9 = Vector128.Create(0xBB67AE85u);
        Vector128<uint> v10 = Vector128.Create(0x3C6EF372u), v11 = Vector128.Create(0xA54FF53Au);
        Vector128<uint> v12 = counters[0], v13 = counters[1];
        Vector128<uint> v14 = Vector128.Create((uint)Blake3.BlockBytes), v15 = Vector128.Create(flags);
        for (int round = 0; round < Blake3.Rounds; round++)
        {
            ulong w = order[round];
            Mix(ref v0, ref v4, ref v8, ref v12, m + (w & 15), m + ((w >> 4) & 15));
            Mix(ref v1, ref v5, ref v9, ref v13, m + ((w >> 8) & 15), m + ((w >> 12) & 15));
            Mix(ref v2, ref v6, ref v10, ref v14, m + ((w >> 16) & 15), m + ((w >> 20) & 15));
            Mix(ref v3, ref v7, ref v11, ref v15, m + ((w >> 24) & 15), m + ((w >> 28) & 15));
            Mix(ref v0, ref v5, ref v10, ref v15, m + ((w >> 32) & 15), m + ((w >> 36) & 15));
            Mix(ref v1, ref v6, ref v11, ref v12, m + ((w >> 40) & 15), m + ((w >> 44) & 15));
            Mix(ref v2, ref v7, ref v8, ref v13, m + ((w >> 48) & 15), m + ((w >> 52) & 15));
            Mix(ref v3, ref v4, ref v9, ref v14, m + ((w >> 56) & 15), m + (w >> 60));
        }
        h[0] = v0 ^ v8;
        h[1] = v1 ^ v9;
        h[2] = v2 ^ v10;
        h[3] = v3 ^ v11;
        h[4] = v4 ^ v12;
        h[5] = v5 ^ v13;
        h[6] = v6 ^ v14;
        h[7] = v7 ^ v15;
    }

    // The message is aligned, so that no word of it need be in one of the sixteen registers, which the state takes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(
        ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector128<uint>* x, Vector128<uint>* y)
    {
        a = a + Vector128.LoadAligned((uint*)x) + b;
        d = Rotate16(d ^ a);
        c += d;
        b ^= c;
        b = (b >> 12) | (b << 20);
        a = a + Vector128.LoadAligned((uint*)y) + b;
        d = Rotate8(d ^ a);
        c += d;
        b ^= c;
        b = (b >> 7) | (b << 25);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Rotate16(Vector128<uint> x) => Ssse3.IsSupported
        ? Ssse3.Shuffle(x.AsByte(), Vector128.Create((byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)).AsUInt32()
        : (x >> 16) | (x << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Rotate8(Vector128<uint> x) => Ssse3.IsSupported
        ? Ssse3.Shuffle(x.AsByte(), Vector128.Create((byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)).AsUInt32()
        : (x >> 8) | (x << 24);
}
