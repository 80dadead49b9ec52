using System.Buffers.Binary;

namespace Graphene.Interop.Numpy;

/// <summary>The checksum of ZIP archives: polynomial 0x04C11DB7, bits reflected, inverted at both ends (ISO 3309).</summary>
internal static class Crc32
{
    private const uint Reflected = 0xEDB88320;

    // Table k says what a byte does to the sum k bytes later, so that eight bytes go at once.
    private static readonly uint[][] _tables = MakeTables();

    /// <summary>The checksum of what was summed before, followed by more bytes; begins with 0.</summary>
    public static uint Append(uint before, ReadOnlySpan<byte> bytes)
    {
        uint[][] t = _tables;
        uint sum = ~before;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ sum;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            sum = t[7][(byte)low] ^ t[6][(byte)(low >> 8)] ^ t[5][(byte)(low >> 16)] ^ t[4][low >> 24]
                ^ t[3][(byte)high] ^ t[2][(byte)(high >> 8)] ^ t[1][(byte)(high >> 16)] ^ t[0][high >> 24];
        }
        foreach (byte b in bytes)
        {
            sum = t[0][(byte)(sum ^ b)] ^ (sum >> 8);
        }
        return ~sum;
    }

    private static uint[][] MakeTables()
    {
        uint[][] tables = [.. Enumerable.Range(0, 8).Select(_ => new uint[256])];
        for (uint b = 0; b < 256; b++)
        {
            uint sum = b;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (sum & 1) != 0 ? (sum >> 1) ^ Reflected : sum >> 1;
            }
            tables[0][b] = sum;
        }
        for (int k = 1; k < 8; k++)
        {
            for (int b = 0; b < 256; b++)
            {
                uint sum = tables[k - 1][b];
                tables[k][b] = tables[0][(byte)sum] ^ (sum >> 8);
            }
        }
        return tables;
    }
}
