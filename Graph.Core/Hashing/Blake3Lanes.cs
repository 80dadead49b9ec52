using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Graphene.Hashing;

/// <summary>Eight chunks, or eight parents, of BLAKE3 side by side: lane i of every vector belongs to number i.</summary>
internal static unsafe class Blake3Lanes
{
    /// <summary>How many are hashed at a time.</summary>
    public const int Count = 8;

    /// <summary>Hashes whole chunks that follow one another, as many as fill the lanes.</summary>
    /// <param name="bytes">The chunks.</param>
    /// <param name="whole">How many there are.</param>
    /// <param name="number">Of the first.</param>
    /// <param name="values">Receives a chaining value for each.</param>
    /// <returns>How many were hashed; none where the processor has no such lanes.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)] // what asks for instructions is not compiled ahead of time
    public static int Chunks(byte* bytes, int whole, ulong number, uint* values)
    {
        const int Blocks = Blake3.ChunkBytes / Blake3.BlockBytes;
        uint* counters = stackalloc uint[2 * Count];
        int done = 0;
        for (; Avx2.IsSupported && done + Count <= whole; done += Count)
        {
            Blake3.WriteCounters(counters, Count, number + (ulong)done);
            Hash(
                bytes + ((long)done * Blake3.ChunkBytes), Blake3.ChunkBytes, Blocks, counters, Blake3.ChunkStart, Blake3.ChunkEnd,
                values + (done * Blake3.HashWords));
        }
        return done;
    }

    /// <summary>Hashes pairs of chaining values, as many as fill the lanes.</summary>
    /// <param name="values">The values, two for each parent; the parents' take the place of the first of them.</param>
    /// <param name="pairs">How many there are.</param>
    /// <returns>How many were hashed; none where the processor has no such lanes.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Parents(uint* values, int pairs)
    {
        uint* counters = stackalloc uint[2 * Count];
        Blake3.ClearCounters(counters, Count);
        int done = 0;
        for (; Avx2.IsSupported && done + Count <= pairs; done += Count)
        {
            Hash(
                (byte*)(values + (done * 2 * Blake3.HashWords)), Blake3.BlockBytes, 1, counters, Blake3.Parent, 0,
                values + (done * Blake3.HashWords));
        }
        return done;
    }

    // Compiled once and for good: it is the time of a start from the cache.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Hash(
        byte* input, nint stride, int blocks, uint* counters, uint firstFlags, uint lastFlags, uint* values)
    {
        Vector256<uint>* h = stackalloc Vector256<uint>[Blake3.HashWords];
        for (int i = 0; i < Blake3.HashWords; i++)
        {
            h[i] = Vector256.Create(Blake3.InitialValue(i));
        }
        Vector256<uint> low = Vector256.Load(counters), high = Vector256.Load(counters + Count);
        Vector256<uint>* m = stackalloc Vector256<uint>[16];
        ulong* order = stackalloc ulong[Blake3.Rounds];
        Blake3.WriteOrder(order);
        for (int block = 0; block < blocks; block++)
        {
            byte* at = input + (block * Blake3.BlockBytes);
            Transpose(at, stride, m);
            Transpose(at + 32, stride, m + 8);
            uint flags = (block == 0 ? firstFlags : 0) | (block == blocks - 1 ? lastFlags : 0);
            Compress(h, m, low, high, Vector256.Create(flags), order);
        }
        uint* lanes = stackalloc uint[Count * Blake3.HashWords];
        Transpose((byte*)h, sizeof(Vector256<uint>), (Vector256<uint>*)lanes);
        for (int i = 0; i < Count * Blake3.HashWords; i++)
        {
            values[i] = lanes[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compress(
        Vector256<uint>* h, Vector256<uint>* m, Vector256<uint> low, Vector256<uint> high, Vector256<uint> flags, ulong* order)
    {
        Vector256<uint> v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
        Vector256<uint> v8 = Vector256.Create(0x6A09E667u), v9 = Vector256.Create(0xBB67AE85u);
        Vector256<uint> v10 = Vector256.Create(0x3C6EF372u), v11 = Vector256.Create(0xA54FF53Au);
        Vector256<uint> v12 = low, v13 = high, v14 = Vector256.Create((uint)Blake3.BlockBytes), v15 = flags;
        for (int round = 0; round < Blake3.Rounds; round++)
        {
            ulong w = order[round];
            Mix(ref v0, ref v4, ref v8, ref v12, m[w & 15], m[(w >> 4) & 15]);
            Mix(ref v1, ref v5, ref v9, ref v13, m[(w >> 8) & 15], m[(w >> 12) & 15]);
            Mix(ref v2, ref v6, ref v10, ref v14, m[(w >> 16) & 15], m[(w >> 20) & 15]);
            Mix(ref v3, ref v7, ref v11, ref v15, m[(w >> 24) & 15], m[(w >> 28) & 15]);
            Mix(ref v0, ref v5, ref v10, ref v15, m[(w >> 32) & 15], m[(w >> 36) & 15]);
            Mix(ref v1, ref v6, ref v11, ref v12, m[(w >> 40) & 15], m[(w >> 44) & 15]);
            Mix(ref v2, ref v7, ref v8, ref v13, m[(w >> 48) & 15], m[(w >> 52) & 15]);
            Mix(ref v3, ref v4, ref v9, ref v14, m[(w >> 56) & 15], m[w >> 60]);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(
        ref Vector256<uint> a, ref Vector256<uint> b, ref Vector256<uint> c, ref Vector256<uint> d, Vector256<uint> x, Vector256<uint> y)
    {
        a = a + b + x;
        d = Rotate16(d ^ a);
        c += d;
        b = Rotate(b ^ c, 12);
        a = a + b + y;
        d = Rotate8(d ^ a);
        c += d;
        b = Rotate(b ^ c, 7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> x, [ConstantExpected] byte count) => Avx512F.VL.IsSupported
        ? Avx512F.VL.RotateRight(x, count)
        : (x >> count) | (x << (32 - count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate16(Vector256<uint> x) => Avx512F.VL.IsSupported
        ? Avx512F.VL.RotateRight(x, 16)
        : Avx2.Shuffle(x.AsByte(), Vector256.Create(
            (byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate8(Vector256<uint> x) => Avx512F.VL.IsSupported
        ? Avx512F.VL.RotateRight(x, 8)
        : Avx2.Shuffle(x.AsByte(), Vector256.Create(
            (byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)).AsUInt32();

    // Word w of lane i goes from row i to lane i of vector w.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(byte* rows, nint stride, Vector256<uint>* columns)
    {
        Vector256<uint> r0 = Vector256.Load((uint*)rows), r1 = Vector256.Load((uint*)(rows + stride));
        Vector256<uint> r2 = Vector256.Load((uint*)(rows + (2 * stride))), r3 = Vector256.Load((uint*)(rows + (3 * stride)));
        Vector256<uint> r4 = Vector256.Load((uint*)(rows + (4 * stride))), r5 = Vector256.Load((uint*)(rows + (5 * stride)));
        Vector256<uint> r6 = Vector256.Load((uint*)(rows + (6 * stride))), r7 = Vector256.Load((uint*)(rows + (7 * stride)));
        Vector256<ulong> a0 = Avx2.UnpackLow(r0, r1).AsUInt64(), a1 = Avx2.UnpackHigh(r0, r1).AsUInt64();
        Vector256<ulong> a2 = Avx2.UnpackLow(r2, r3).AsUInt64(), a3 = Avx2.UnpackHigh(r2, r3).AsUInt64();
        Vector256<ulong> a4 = Avx2.UnpackLow(r4, r5).AsUInt64(), a5 = Avx2.UnpackHigh(r4, r5).AsUInt64();
        Vector256<ulong> a6 = Avx2.UnpackLow(r6, r7).AsUInt64(), a7 = Avx2.UnpackHigh(r6, r7).AsUInt64();
        Halves(Avx2.UnpackLow(a0, a2), Avx2.UnpackLow(a4, a6), columns, 0);
        Halves(Avx2.UnpackHigh(a0, a2), Avx2.UnpackHigh(a4, a6), columns, 1);
        Halves(Avx2.UnpackLow(a1, a3), Avx2.UnpackLow(a5, a7), columns, 2);
        Halves(Avx2.UnpackHigh(a1, a3), Avx2.UnpackHigh(a5, a7), columns, 3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Halves(Vector256<ulong> first, Vector256<ulong> last, Vector256<uint>* columns, int column)
    {
        columns[column] = Avx2.Permute2x128(first.AsUInt32(), last.AsUInt32(), 0x20);
        columns[column + 4] = Avx2.Permute2x128(first.AsUInt32(), last.AsUInt32(), 0x31);
    }
}
