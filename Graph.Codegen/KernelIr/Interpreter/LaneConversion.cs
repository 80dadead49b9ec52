namespace Graphene.Codegen;

/// <summary>One lane of a conversion by value.</summary>
internal static class LaneConversion
{
    /// <summary>The bits of a value in another type.</summary>
    public static ulong Convert(DType from, DType to, ulong bits)
    {
        if (from == to)
        {
            return bits;
        }
        if (!from.IsFloating())
        {
            Int128 integer = from == DType.Bool ? (Int128)bits : IntegerArithmetic.Value(from, bits);
            return to == DType.Bool ? (integer != 0 ? 1ul : 0)
                : to.IsInteger() ? Scalar.FromInteger(to, integer).Bits
                : FromInteger(integer, to);
        }
        double real = Real(from, bits);
        return to == DType.Bool ? (real != 0 ? 1ul : 0)
            : to.IsInteger() ? Saturate(real, to)
            : Scalar.FromDouble(to, real).Bits;
    }

    // Every floating value is an f64.
    private static double Real(DType type, ulong bits) => type switch
    {
        DType.F16 => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        DType.BF16 => new BFloat16((ushort)bits),
        DType.F32 => BitConverter.UInt32BitsToSingle((uint)bits),
        _ => BitConverter.UInt64BitsToDouble(bits),
    };

    // Rounded once, to nearest, ties to even: 64-bit integers do not fit an f64.
    private static ulong FromInteger(Int128 value, DType to) => to switch
    {
        DType.F64 => BitConverter.DoubleToUInt64Bits(value < 0 ? (double)(long)value : (double)(ulong)value),
        _ => Scalar.FromDouble(to, RoundToOdd(value)).Bits,
    };

    // Keeps 53 bits and sets the last of them when one below was set, so that the next rounding is right.
    private static double RoundToOdd(Int128 value)
    {
        Int128 magnitude = Int128.Abs(value);
        int excess = Math.Max(0, 128 - (int)Int128.LeadingZeroCount(magnitude) - 53);
        Int128 kept = magnitude >> excess;
        if (kept << excess != magnitude)
        {
            kept |= 1;
        }
        double result = Math.ScaleB((double)(long)kept, excess);
        return value < 0 ? -result : result;
    }

    private static ulong Saturate(double value, DType to)
    {
        if (double.IsNaN(value))
        {
            return 0;
        }
        Int128 lowest = Scalar.Lowest(to).AsInteger;
        Int128 highest = Scalar.Highest(to).AsInteger;
        Int128 integer = value <= -1e20 ? lowest : value >= 1e20 ? highest : (Int128)Math.Truncate(value);
        return Scalar.FromInteger(to, Int128.Clamp(integer, lowest, highest)).Bits;
    }
}
