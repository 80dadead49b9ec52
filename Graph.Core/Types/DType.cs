namespace Graphene;

/// <summary>The element type of a tensor.</summary>
public enum DType
{
    /// <summary>A truth value, stored as one byte: 0 or 1.</summary>
    Bool,

    /// <summary>Signed 8-bit integer, two's complement.</summary>
    I8,

    /// <summary>Signed 16-bit integer, two's complement.</summary>
    I16,

    /// <summary>Signed 32-bit integer, two's complement.</summary>
    I32,

    /// <summary>Signed 64-bit integer, two's complement.</summary>
    I64,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>Brain float: the upper half of an IEEE 754 binary32.</summary>
    BF16,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>Reserved: a pair of <see cref="F32"/> (real, imaginary). No op accepts it yet.</summary>
    C64,

    /// <summary>Reserved: a pair of <see cref="F64"/> (real, imaginary). No op accepts it yet.</summary>
    C128,
}

/// <summary>Facts about each <see cref="DType"/>.</summary>
public static class DTypeFacts
{
    private static readonly string[] Names =
        ["bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64", "c64", "c128"];

    /// <summary>The name used in IR text, for example <c>bf16</c>.</summary>
    public static string Name(this DType type) => Names[(int)type];

    /// <summary>Bytes that one element occupies in memory.</summary>
    public static int SizeInBytes(this DType type) => type switch
    {
        DType.Bool or DType.I8 or DType.U8 => 1,
        DType.I16 or DType.U16 or DType.F16 or DType.BF16 => 2,
        DType.I32 or DType.U32 or DType.F32 => 4,
        DType.I64 or DType.U64 or DType.F64 or DType.C64 => 8,
        DType.C128 => 16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), $"there is no element type {(int)type}"),
    };

    /// <summary>Bits of the value representation.</summary>
    public static int SizeInBits(this DType type) => 8 * SizeInBytes(type);

    /// <summary>True for f16, bf16, f32 and f64.</summary>
    public static bool IsFloating(this DType type) => type is >= DType.F16 and <= DType.F64;

    /// <summary>True for signed and unsigned integers; not for bool.</summary>
    public static bool IsInteger(this DType type) => type is >= DType.I8 and <= DType.U64;

    /// <summary>True for i8, i16, i32 and i64.</summary>
    public static bool IsSignedInteger(this DType type) => type is >= DType.I8 and <= DType.I64;

    /// <summary>True for u8, u16, u32 and u64.</summary>
    public static bool IsUnsignedInteger(this DType type) => type is >= DType.U8 and <= DType.U64;

    /// <summary>True for the reserved complex types.</summary>
    public static bool IsComplex(this DType type) => type is DType.C64 or DType.C128;

    /// <summary>Finds the type with a name as written in IR text.</summary>
    public static bool TryParse(string name, out DType type)
    {
        int index = Array.IndexOf(Names, name);
        type = index < 0 ? default : (DType)index;
        return index >= 0;
    }

    /// <summary>The element type that represents the .NET type <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not an element type.</exception>
    public static DType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) { return DType.F32; }
        if (typeof(T) == typeof(double)) { return DType.F64; }
        if (typeof(T) == typeof(int)) { return DType.I32; }
        if (typeof(T) == typeof(long)) { return DType.I64; }
        if (typeof(T) == typeof(bool)) { return DType.Bool; }
        if (typeof(T) == typeof(byte)) { return DType.U8; }
        if (typeof(T) == typeof(sbyte)) { return DType.I8; }
        if (typeof(T) == typeof(short)) { return DType.I16; }
        if (typeof(T) == typeof(ushort)) { return DType.U16; }
        if (typeof(T) == typeof(uint)) { return DType.U32; }
        if (typeof(T) == typeof(ulong)) { return DType.U64; }
        if (typeof(T) == typeof(Half)) { return DType.F16; }
        if (typeof(T) == typeof(BFloat16)) { return DType.BF16; }
        throw new NotSupportedException($"{typeof(T)} is not a tensor element type");
    }
}

/// <summary>A set of element types, as ops state what they accept.</summary>
[Flags]
public enum DTypeSet
{
    /// <summary>No type.</summary>
    None = 0,

    /// <summary>bool.</summary>
    Bool = 1 << DType.Bool,

    /// <summary>i8, i16, i32, i64.</summary>
    SignedInteger = (1 << DType.I8) | (1 << DType.I16) | (1 << DType.I32) | (1 << DType.I64),

    /// <summary>u8, u16, u32, u64.</summary>
    UnsignedInteger = (1 << DType.U8) | (1 << DType.U16) | (1 << DType.U32) | (1 << DType.U64),

    /// <summary>f16, bf16, f32, f64.</summary>
    Floating = (1 << DType.F16) | (1 << DType.BF16) | (1 << DType.F32) | (1 << DType.F64),

    /// <summary>All integers.</summary>
    Integer = SignedInteger | UnsignedInteger,

    /// <summary>Integers and bool.</summary>
    Logical = Integer | Bool,

    /// <summary>Integers and floating types.</summary>
    Numeric = Integer | Floating,

    /// <summary>Every type that ops compute with today.</summary>
    All = Numeric | Bool,
}

/// <summary>Membership in a <see cref="DTypeSet"/>.</summary>
public static class DTypeSetFacts
{
    /// <summary>True when <paramref name="set"/> holds <paramref name="type"/>.</summary>
    public static bool Contains(this DTypeSet set, DType type) => ((int)set >> (int)type & 1) != 0;

    /// <summary>The members' names, for messages.</summary>
    public static string Describe(this DTypeSet set) =>
        string.Join(", ", Enum.GetValues<DType>().Where(t => set.Contains(t)).Select(t => t.Name()));
}
