using System.Numerics;

namespace Graphene.Hashing;

/// <content>One chunk, and the function that compresses a block into a chaining value: section 2.2 of the paper.</content>
public static unsafe partial class Blake3
{
    private static void Chunk(byte* bytes, int length, ulong number, uint rootFlag, uint* value)
    {
        uint* block = stackalloc uint[BlockWords];
        Begin(value);
        uint flags = ChunkStart;
        for (; length > BlockBytes; length -= BlockBytes, bytes += BlockBytes)
        {
            Compress(value, Words(bytes, block), number, BlockBytes, flags);
            flags = 0;
        }
        Load(bytes, length, block);
        Compress(value, block, number, (uint)length, flags | ChunkEnd | rootFlag);
    }

    // A whole block's words where they lie, if that is their order.
    private static uint* Words(byte* bytes, uint* block)
    {
        if (BitConverter.IsLittleEndian)
        {
            return (uint*)bytes;
        }
        Load(bytes, BlockBytes, block);
        return block;
    }

    // Words are little-endian, and what is missing is zero.
    private static void Load(byte* bytes, int length, uint* block)
    {
        for (int i = 0; i < BlockWords; i++)
        {
            block[i] = 0;
        }
        for (int i = 0; i < length; i++)
        {
            block[i / sizeof(uint)] |= (uint)bytes[i] << (8 * (i % sizeof(uint)));
        }
    }

    private static void Begin(uint* value)
    {
        for (int i = 0; i < HashWords; i++)
        {
            value[i] = InitialValue(i);
        }
    }

    private static void Copy(uint* from, uint* to)
    {
        for (int i = 0; i < HashWords; i++)
        {
            to[i] = from[i];
        }
    }

    private static void Compress(uint* value, uint* m, ulong counter, uint length, uint flags)
    {
        uint* v = stackalloc uint[16];
        for (int i = 0; i < HashWords; i++)
        {
            v[i] = value[i];
            v[i + HashWords] = InitialValue(i);
        }
        v[12] = (uint)counter;
        v[13] = (uint)(counter >> 32);
        v[14] = length;
        v[15] = flags;
        for (int round = 0; round < Rounds; round++)
        {
            ulong words = WordsOf(round);
            for (int step = 0; step < 8; step++, words >>= 8)
            {
                // Columns, then diagonals.
                int a = step & 3;
                int turn = step >> 2;
                Mix(
                    v + a, v + 4 + ((a + turn) & 3), v + 8 + ((a + (2 * turn)) & 3), v + 12 + ((a + (3 * turn)) & 3),
                    m[words & 15], m[(words >> 4) & 15]);
            }
        }
        for (int i = 0; i < HashWords; i++)
        {
            value[i] = v[i] ^ v[i + 8];
        }
    }

    private static void Mix(uint* a, uint* b, uint* c, uint* d, uint x, uint y)
    {
        *a += *b + x;
        *d = BitOperations.RotateRight(*d ^ *a, 16);
        *c += *d;
        *b = BitOperations.RotateRight(*b ^ *c, 12);
        *a += *b + y;
        *d = BitOperations.RotateRight(*d ^ *a, 8);
        *c += *d;
        *b = BitOperations.RotateRight(*b ^ *c, 7);
    }
}
