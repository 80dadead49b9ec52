namespace Graphene.Interop.Onnx;

/// <summary>Element types by the numbers ONNX files use for them.</summary>
public enum OnnxDataType
{
    /// <summary>Not set.</summary>
    Undefined = 0,

    /// <summary>IEEE binary32.</summary>
    Float = 1,

    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8 = 2,

    /// <summary>Signed 8-bit integer.</summary>
    Int8 = 3,

    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16 = 4,

    /// <summary>Signed 16-bit integer.</summary>
    Int16 = 5,

    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 6,

    /// <summary>Signed 64-bit integer.</summary>
    Int64 = 7,

    /// <summary>UTF-8 text.</summary>
    String = 8,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 9,

    /// <summary>IEEE binary16.</summary>
    Float16 = 10,

    /// <summary>IEEE binary64.</summary>
    Double = 11,

    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32 = 12,

    /// <summary>Unsigned 64-bit integer.</summary>
    UInt64 = 13,

    /// <summary>Two binary32 numbers, real part first.</summary>
    Complex64 = 14,

    /// <summary>Two binary64 numbers, real part first.</summary>
    Complex128 = 15,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16 = 16,

    /// <summary>8-bit float, 4 exponent and 3 mantissa bits, finite and NaN only.</summary>
    Float8E4M3FN = 17,

    /// <summary>As <see cref="Float8E4M3FN"/> without negative zero, bias 8.</summary>
    Float8E4M3FNUZ = 18,

    /// <summary>8-bit float, 5 exponent and 2 mantissa bits, with infinities.</summary>
    Float8E5M2 = 19,

    /// <summary>As <see cref="Float8E5M2"/> without infinities and negative zero, bias 16.</summary>
    Float8E5M2FNUZ = 20,

    /// <summary>Unsigned 4-bit integer, two per byte, low half first.</summary>
    UInt4 = 21,

    /// <summary>Signed 4-bit integer, two per byte, low half first.</summary>
    Int4 = 22,

    /// <summary>4-bit float, 2 exponent bits and 1 mantissa bit, two per byte.</summary>
    Float4E2M1 = 23,

    /// <summary>A power of two from 2^-127 to 2^127, or NaN.</summary>
    Float8E8M0 = 24,

    /// <summary>Unsigned 2-bit integer, four per byte, lowest bits first.</summary>
    UInt2 = 25,

    /// <summary>Signed 2-bit integer, four per byte, lowest bits first.</summary>
    Int2 = 26,
}
