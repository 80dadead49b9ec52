using System.Globalization;

namespace Graphene;

/// <summary>One element: a value of some <see cref="DType"/>, already rounded or wrapped to it.</summary>
public readonly struct Scalar : IEquatable<Scalar>
{
    private readonly double _floating;
    private readonly long _integer; // two's complement; a u64 keeps its bits, a bool is 0 or 1

    private Scalar(DType type, double floating, long integer)
    {
        DType = type;
        _floating = floating;
        _integer = integer;
    }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>The value of a floating element; integers and bool convert exactly or to nearest.</summary>
    public double AsDouble => DType.IsFloating() ? _floating : (double)AsInteger;

    /// <summary>The value of an integer or bool element.</summary>
    public Int128 AsInteger => DType == DType.U64 ? (Int128)(ulong)_integer : _integer;

    /// <summary>True when a bool or integer element is not zero.</summary>
    public bool AsBool => _integer != 0;

    /// <summary>The stored bits, in the low bytes.</summary>
    public ulong Bits => DType switch
    {
        DType.F64 => BitConverter.DoubleToUInt64Bits(_floating),
        DType.F32 => BitConverter.SingleToUInt32Bits((float)_floating),
        DType.F16 => BitConverter.HalfToUInt16Bits((Half)_floating),
        DType.BF16 => ((BFloat16)_floating).Bits,
        _ => (ulong)_integer & (ulong.MaxValue >> (64 - DType.SizeInBits())),
    };

    /// <summary>Rounds a real number to a floating type, once, to nearest, ties to even.</summary>
    public static Scalar FromDouble(DType type, double value) => type switch
    {
        DType.F64 => new(type, value, 0),
        DType.F32 => new(type, (float)value, 0),
        DType.F16 => new(type, (double)(Half)value, 0),
        DType.BF16 => new(type, (float)(BFloat16)value, 0),
        _ => throw new ArgumentException($"{type.Name()} is not a floating type", nameof(type)),
    };

    /// <summary>Wraps an integer to an integer type; for bool, non-zero is true.</summary>
    public static Scalar FromInteger(DType type, Int128 value) => type switch
    {
        DType.Bool => new(type, 0, value != 0 ? 1 : 0),
        DType.I8 => new(type, 0, unchecked((sbyte)value)),
        DType.I16 => new(type, 0, unchecked((short)value)),
        DType.I32 => new(type, 0, unchecked((int)value)),
        DType.I64 => new(type, 0, unchecked((long)value)),
        DType.U8 => new(type, 0, unchecked((byte)value)),
        DType.U16 => new(type, 0, unchecked((ushort)value)),
        DType.U32 => new(type, 0, unchecked((uint)value)),
        DType.U64 => new(type, 0, unchecked((long)(ulong)value)),
        _ => throw new ArgumentException($"{type.Name()} is not an integer type", nameof(type)),
    };

    /// <summary>A truth value.</summary>
    public static Scalar FromBool(bool value) => new(DType.Bool, 0, value ? 1 : 0);

    /// <summary>A small number as any type: rounded for floating types, wrapped for integers.</summary>
    public static Scalar FromNumber(DType type, double value) =>
        type.IsFloating() ? FromDouble(type, value) : FromInteger(type, (Int128)value);

    /// <summary>The value with the given stored bits.</summary>
    public static Scalar FromBits(DType type, ulong bits) => type switch
    {
        DType.F64 => new(type, BitConverter.UInt64BitsToDouble(bits), 0),
        DType.F32 => new(type, BitConverter.UInt32BitsToSingle((uint)bits), 0),
        DType.F16 => new(type, (double)BitConverter.UInt16BitsToHalf((ushort)bits), 0),
        DType.BF16 => new(type, new BFloat16((ushort)bits), 0),
        _ => FromInteger(type, bits),
    };

    /// <summary>The value 0 (false for bool).</summary>
    public static Scalar Zero(DType type) => FromNumber(type, 0);

    /// <summary>The value 1 (true for bool).</summary>
    public static Scalar One(DType type) => FromNumber(type, 1);

    /// <summary>The smallest value: negative infinity for floating types.</summary>
    public static Scalar Lowest(DType type) => type.IsFloating() ? FromDouble(type, double.NegativeInfinity)
        : type.IsSignedInteger() ? FromInteger(type, -((Int128)1 << (type.SizeInBits() - 1)))
        : FromInteger(type, 0);

    /// <summary>The largest value: positive infinity for floating types.</summary>
    public static Scalar Highest(DType type) => type.IsFloating() ? FromDouble(type, double.PositiveInfinity)
        : type == DType.Bool ? FromBool(true)
        : FromInteger(type, ((Int128)1 << (type.SizeInBits() - (type.IsSignedInteger() ? 1 : 0))) - 1);

    /// <summary>Same type and same stored bits.</summary>
    public static bool operator ==(Scalar left, Scalar right) => left.Equals(right);

    /// <summary>Different type or different stored bits.</summary>
    public static bool operator !=(Scalar left, Scalar right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(Scalar other) => DType == other.DType && Bits == other.Bits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Scalar other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(DType, Bits);

    /// <summary>The shortest text that reads back as the same bits; NaNs with a payload are printed as bits.</summary>
    public override string ToString()
    {
        if (DType == DType.Bool)
        {
            return AsBool ? "true" : "false";
        }
        if (!DType.IsFloating())
        {
            return AsInteger.ToString(CultureInfo.InvariantCulture);
        }
        if (double.IsNaN(_floating))
        {
            return Bits == FromDouble(DType, double.NaN).Bits ? "nan" : $"0x{Bits.ToString("x", CultureInfo.InvariantCulture)}";
        }
        return _floating switch
        {
            double.PositiveInfinity => "inf",
            double.NegativeInfinity => "-inf",
            _ => DType == DType.F64
                ? _floating.ToString("R", CultureInfo.InvariantCulture)
                : ((float)_floating).ToString("R", CultureInfo.InvariantCulture),
        };
    }
}
