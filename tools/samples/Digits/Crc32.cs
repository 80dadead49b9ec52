namespace Graphene.Samples.Digits;

/// <summary>
/// The checksum of PNG chunks: CRC-32 of ISO 3309 (PNG, third edition, annex D), one of its 256 steps
/// computed at a time.
/// </summary>
public static class Crc32
{
    private const uint Polynomial = 0xEDB88320;

    private static readonly uint[] Steps = [.. Enumerable.Range(0, 256).Select(n => Step((uint)n))];

    /// <summary>The checksum of some bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc = Steps[(byte)(crc ^ value)] ^ (crc >> 8);
        }
        return ~crc;
    }

    private static uint Step(uint value)
    {
        for (int bit = 0; bit < 8; bit++)
        {
            value = (value & 1) != 0 ? Polynomial ^ (value >> 1) : value >> 1;
        }
        return value;
    }
}
