using System.Globalization;

namespace Graphene;

/// <summary>A brain float: sign, 8 exponent bits and 7 fraction bits, the upper half of a <see cref="float"/>.</summary>
/// <param name="bits">The 16 stored bits.</param>
public readonly struct BFloat16(ushort bits) : IEquatable<BFloat16>
{
    /// <summary>The 16 stored bits.</summary>
    public ushort Bits { get; } = bits;

    /// <summary>Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.</summary>
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
        {
            return new BFloat16((ushort)((bits >> 16) | 0x40));
        }
        return new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>Rounds a double once, to nearest, ties to even.</summary>
    public static explicit operator BFloat16(double value) => (BFloat16)RoundToOddSingle(value);

    /// <summary>Exact.</summary>
    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);

    /// <summary>Equal bits.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => left.Bits == right.Bits;

    /// <summary>Different bits.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => left.Bits != right.Bits;

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => Bits == other.Bits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Bits;

    /// <inheritdoc/>
    public override string ToString() => ((float)this).ToString(CultureInfo.InvariantCulture);

    // Rounding to odd in the wider step makes the second rounding (to 8 bits) correct: Boldo and Melquiond, 2008.
    private static float RoundToOddSingle(double value)
    {
        float nearest = (float)value;
        if (nearest == value || !float.IsFinite(nearest) || (BitConverter.SingleToUInt32Bits(nearest) & 1) != 0)
        {
            return nearest;
        }
        bool towardsLarger = value > nearest;
        return towardsLarger ? MathF.BitIncrement(nearest) : MathF.BitDecrement(nearest);
    }
}
