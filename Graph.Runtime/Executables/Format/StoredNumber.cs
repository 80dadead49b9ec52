namespace Graphene.Runtime;

/// <summary>Little-endian numbers among bytes.</summary>
/// <remarks>
/// What the framework has for this takes spans, whose methods are not compiled into ours and lie in a library of their own: a start would
/// wait for each of them.
/// </remarks>
internal static class StoredNumber
{
    /// <summary>A number of 32 bits.</summary>
    public static int Int32(byte[] bytes, int at) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

    /// <summary>A number of 64 bits.</summary>
    public static long Int64(byte[] bytes, int at) => (uint)Int32(bytes, at) | ((long)Int32(bytes, at + 4) << 32);

    /// <summary>Writes the lowest bytes of a number.</summary>
    /// <param name="place">As many bytes as are written.</param>
    /// <param name="value">The number.</param>
    public static void Write(Span<byte> place, ulong value)
    {
        for (int i = 0; i < place.Length; i++)
        {
            place[i] = (byte)(value >> (8 * i));
        }
    }
}
