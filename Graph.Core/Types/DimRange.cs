namespace Graphene;

/// <summary>An inclusive range of 64-bit integers; arithmetic saturates, so it never claims too little.</summary>
/// <param name="Min">The smallest value.</param>
/// <param name="Max">The largest value.</param>
public readonly record struct DimRange(long Min, long Max)
{
    /// <summary>All sums.</summary>
    public static DimRange operator +(DimRange left, DimRange right) =>
        new(DimMath.Saturate((Int128)left.Min + right.Min), DimMath.Saturate((Int128)left.Max + right.Max));

    /// <summary>All products.</summary>
    public static DimRange operator *(DimRange left, DimRange right)
    {
        Int128 a = (Int128)left.Min * right.Min;
        Int128 b = (Int128)left.Min * right.Max;
        Int128 c = (Int128)left.Max * right.Min;
        Int128 d = (Int128)left.Max * right.Max;
        return new(
            DimMath.Saturate(Int128.Min(Int128.Min(a, b), Int128.Min(c, d))),
            DimMath.Saturate(Int128.Max(Int128.Max(a, b), Int128.Max(c, d))));
    }
}

/// <summary>Integer helpers with the rounding that dims use.</summary>
public static class DimMath
{
    /// <summary>The quotient rounded towards negative infinity.</summary>
    public static long FloorDiv(long dividend, long divisor)
    {
        long quotient = Math.DivRem(dividend, divisor, out long remainder);
        return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient;
    }

    /// <summary>The quotient rounded towards positive infinity.</summary>
    public static long CeilDiv(long dividend, long divisor) => -FloorDiv(-dividend, divisor);

    internal static long Saturate(Int128 value) =>
        value > long.MaxValue ? long.MaxValue : value < long.MinValue ? long.MinValue : (long)value;
}
