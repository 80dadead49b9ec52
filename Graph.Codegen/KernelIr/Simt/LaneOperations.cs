using System.Numerics;

namespace Graphene.Codegen;

/// <summary>An instruction with one argument, on an element and on a machine's vector of them.</summary>
internal interface IUnaryOperation<T>
    where T : unmanaged
{
    /// <summary>The result for an element.</summary>
    static abstract T Of(T a);
}

/// <summary>An instruction with two arguments.</summary>
internal interface IBinaryOperation<T>
    where T : unmanaged
{
    /// <summary>Whether there is a form for vectors.</summary>
    static virtual bool HasVectors => false;

    /// <summary>The result for an element.</summary>
    static abstract T Of(T a, T b);

    /// <summary>The results for a vector.</summary>
    static virtual Vector<T> Of(Vector<T> a, Vector<T> b) => throw new NotSupportedException();
}

/// <summary>A comparison.</summary>
internal interface IComparison<T>
    where T : unmanaged
{
    /// <summary>Whether it holds.</summary>
    static abstract bool Of(T a, T b);
}

internal readonly struct SumOf<T> : IBinaryOperation<T>
    where T : unmanaged, IAdditionOperators<T, T, T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => unchecked(a + b);

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a + b;
}

internal readonly struct DifferenceOf<T> : IBinaryOperation<T>
    where T : unmanaged, ISubtractionOperators<T, T, T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => unchecked(a - b);

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a - b;
}

internal readonly struct ProductOf<T> : IBinaryOperation<T>
    where T : unmanaged, IMultiplyOperators<T, T, T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => unchecked(a * b);

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a * b;
}

/// <summary>A quotient of floats.</summary>
internal readonly struct QuotientOf<T> : IBinaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => a / b;

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a / b;
}

/// <summary>A remainder of floats.</summary>
internal readonly struct RemainderOf<T> : IBinaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a, T b) => a % b;
}

/// <summary>The larger; NaN when one is NaN, and +0 is larger than -0.</summary>
internal readonly struct MaximumOf<T> : IBinaryOperation<T>
    where T : unmanaged, INumber<T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => T.Max(a, b);

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => Vector.Max(a, b);
}

/// <summary>The smaller; NaN when one is NaN, and -0 is smaller than +0.</summary>
internal readonly struct MinimumOf<T> : IBinaryOperation<T>
    where T : unmanaged, INumber<T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => T.Min(a, b);

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => Vector.Min(a, b);
}

/// <summary>A quotient of integers: all bits set for a divisor of zero, wrapped where it does not fit.</summary>
internal readonly struct IntegerQuotientOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Of(T a, T b) => T.IsZero(b) ? ~T.Zero : T.IsNegative(b) && b == ~T.Zero ? unchecked(T.Zero - a) : a / b;
}

/// <summary>A remainder of integers: the dividend for a divisor of zero.</summary>
internal readonly struct IntegerRemainderOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Of(T a, T b) => T.IsZero(b) ? a : T.IsNegative(b) && b == ~T.Zero ? T.Zero : a % b;
}

internal readonly struct AndOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBitwiseOperators<T, T, T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => a & b;

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a & b;
}

internal readonly struct OrOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBitwiseOperators<T, T, T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => a | b;

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a | b;
}

internal readonly struct XorOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBitwiseOperators<T, T, T>
{
    public static bool HasVectors => true;

    public static T Of(T a, T b) => a ^ b;

    public static Vector<T> Of(Vector<T> a, Vector<T> b) => a ^ b;
}

/// <summary>Whether two bools are equal, as a bool.</summary>
internal readonly struct SameTruth : IBinaryOperation<byte>
{
    public static byte Of(byte a, byte b) => (byte)(a ^ b ^ 1);
}

/// <summary>Whether a bool is less than another one, as a bool.</summary>
internal readonly struct LessTruth : IBinaryOperation<byte>
{
    public static byte Of(byte a, byte b) => (byte)((a ^ 1) & b);
}

/// <summary>Whether a bool is at most another one, as a bool.</summary>
internal readonly struct AtMostTruth : IBinaryOperation<byte>
{
    public static byte Of(byte a, byte b) => (byte)((a ^ 1) | b);
}

internal readonly struct NotTruth : IUnaryOperation<byte>
{
    public static byte Of(byte a) => (byte)(a ^ 1);
}

/// <summary>Zero where the distance is not less than the width.</summary>
internal readonly struct ShiftLeftOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Of(T a, T b)
    {
        ulong distance = ulong.CreateTruncating(b);
        return distance >= (ulong)(8 * T.Zero.GetByteCount()) ? T.Zero : a << (int)distance;
    }
}

/// <summary>Zero where the distance is not less than the width.</summary>
internal readonly struct ShiftRightOf<T> : IBinaryOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static T Of(T a, T b)
    {
        ulong distance = ulong.CreateTruncating(b);
        return distance >= (ulong)(8 * T.Zero.GetByteCount()) ? T.Zero : a >>> (int)distance;
    }
}

internal readonly struct EqualOf<T> : IComparison<T>
    where T : unmanaged, IEqualityOperators<T, T, bool>
{
    public static bool Of(T a, T b) => a == b;
}

internal readonly struct NotEqualOf<T> : IComparison<T>
    where T : unmanaged, IEqualityOperators<T, T, bool>
{
    public static bool Of(T a, T b) => a != b;
}

internal readonly struct LessOf<T> : IComparison<T>
    where T : unmanaged, IComparisonOperators<T, T, bool>
{
    public static bool Of(T a, T b) => a < b;
}

internal readonly struct AtMostOf<T> : IComparison<T>
    where T : unmanaged, IComparisonOperators<T, T, bool>
{
    public static bool Of(T a, T b) => a <= b;
}

internal readonly struct FiniteOf<T> : IComparison<T>
    where T : unmanaged, INumberBase<T>
{
    public static bool Of(T a, T b) => T.IsFinite(a);
}

internal readonly struct NegativeOf<T> : IUnaryOperation<T>
    where T : unmanaged, IUnaryNegationOperators<T, T>
{
    public static T Of(T a) => unchecked(-a);
}

internal readonly struct ComplementOf<T> : IUnaryOperation<T>
    where T : unmanaged, IBitwiseOperators<T, T, T>
{
    public static T Of(T a) => ~a;
}

internal readonly struct MagnitudeOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => T.Abs(a);
}

internal readonly struct SignOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => a > T.Zero ? T.One : a < T.Zero ? -T.One : a;
}

internal readonly struct RootOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => T.Sqrt(a);
}

internal readonly struct FloorOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => T.Floor(a);
}

internal readonly struct CeilingOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => T.Ceiling(a);
}

internal readonly struct TruncationOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => T.Truncate(a);
}

internal readonly struct NearestOf<T> : IUnaryOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Of(T a) => T.Round(a, MidpointRounding.ToEven);
}
