namespace Graphene;

/// <summary>Quantized numbers are stored beside a zero point: value = (stored - zero point) * scale.</summary>
internal static class ZeroPoints
{
    /// <summary>Stored bytes less their zero points, when these are bytes (i8) again; else null.</summary>
    /// <param name="stored">Elements of i8 or u8.</param>
    /// <param name="points">One zero point for all, or one for each index along an axis.</param>
    /// <param name="axis">That axis.</param>
    public static Literal? TrySubtract(Literal stored, ReadOnlySpan<int> points, int axis)
    {
        bool isSigned = stored.DType == DType.I8;
        if (isSigned && points.IndexOfAnyExcept(0) < 0)
        {
            return stored;
        }
        long inner = points.Length == 1 ? 1 : stored.Shape.Skip(axis + 1).Aggregate(1L, (n, d) => n * d.Value);
        ReadOnlySpan<byte> bytes = stored.Bytes.Span;
        byte[] centered = new byte[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            int point = points.Length == 1 ? points[0] : points[(int)(i / inner % points.Length)];
            int value = (isSigned ? (sbyte)bytes[i] : bytes[i]) - point;
            if (value is < sbyte.MinValue or > sbyte.MaxValue)
            {
                return null;
            }
            centered[i] = unchecked((byte)value);
        }
        return new Literal(stored.Type with { DType = DType.I8 }, centered);
    }
}
