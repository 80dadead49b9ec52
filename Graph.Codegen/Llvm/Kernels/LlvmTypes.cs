using System.Globalization;

namespace Graphene.Codegen.Llvm;

/// <summary>Kernel IR types and constants in LLVM IR text.</summary>
internal static class LlvmTypes
{
    /// <summary>The type of a value in registers.</summary>
    public static string Register(KType type) => Vector(RegisterElement(type.Element), type.Lanes);

    /// <summary>The type of a value in memory: as in registers, but for bool, which takes a byte.</summary>
    public static string Memory(KType type) => Vector(MemoryElement(type.Element), type.Lanes);

    /// <summary>The type of one element in memory.</summary>
    public static string MemoryElement(DType type) => type == DType.Bool ? "i8" : RegisterElement(type);

    /// <summary>A vector, or the element itself for one lane.</summary>
    public static string Vector(string element, int lanes) => lanes == 1 ? element : $"<{lanes} x {element}>";

    /// <summary>The end of an overloaded intrinsic's name: <c>v8f32</c>.</summary>
    public static string Suffix(KType type) => (type.Lanes == 1 ? "" : $"v{type.Lanes}") + type.Element switch
    {
        DType.F32 => "f32",
        DType.F64 => "f64",
        var e => RegisterElement(e),
    };

    /// <summary>A constant in every lane.</summary>
    public static LlvmValue Constant(Scalar value, int lanes)
    {
        string one = Constant(value);
        return new(Splat(RegisterElement(value.DType), one, lanes), new KType(value.DType, lanes));
    }

    /// <summary>An integer in every lane, wrapped to the type.</summary>
    public static LlvmValue Integer(KType type, Int128 value) =>
        Constant(Scalar.FromInteger(type.Element, value), type.Lanes);

    /// <summary>A real number in every lane, rounded to the type.</summary>
    public static LlvmValue Floating(KType type, double value) =>
        Constant(Scalar.FromDouble(type.Element, value), type.Lanes);

    /// <summary>A constant vector with different lanes.</summary>
    public static string List(string element, IEnumerable<long> values) =>
        $"<{string.Join(", ", values.Select(v => $"{element} {v.ToString(CultureInfo.InvariantCulture)}"))}>";

    /// <summary>A constant vector with different lanes.</summary>
    public static LlvmValue List(IReadOnlyList<Scalar> values)
    {
        string element = RegisterElement(values[0].DType);
        return new($"<{string.Join(", ", values.Select(v => $"{element} {Constant(v)}"))}>", new KType(values[0].DType, values.Count));
    }

    private static string Splat(string element, string one, int lanes) => lanes == 1 ? one : $"splat ({element} {one})";

    private static string RegisterElement(DType type) => type switch
    {
        DType.Bool => "i1",
        DType.I8 or DType.U8 => "i8",
        DType.I16 or DType.U16 or DType.F16 or DType.BF16 => "i16",
        DType.I32 or DType.U32 => "i32",
        DType.I64 or DType.U64 => "i64",
        DType.F32 => "float",
        DType.F64 => "double",
        _ => throw new CompilerBugException("LLVM printer", $"{type.Name()} values are not supported"),
    };

    private static string Constant(Scalar value) => value.DType switch
    {
        DType.Bool => value.AsBool ? "true" : "false",
        DType.F32 => Hex(Widen((uint)value.Bits)),
        DType.F64 => Hex(value.Bits),
        DType.F16 or DType.BF16 => value.Bits.ToString(CultureInfo.InvariantCulture),
        DType.U64 => value.Bits.ToString(CultureInfo.InvariantCulture),
        _ => value.AsInteger.ToString(CultureInfo.InvariantCulture),
    };

    private static string Hex(ulong bits) => "0x" + bits.ToString("X16", CultureInfo.InvariantCulture);

    // LLVM writes floats as doubles. A conversion in hardware would make a signaling NaN quiet.
    private static ulong Widen(uint bits)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        return float.IsNaN(value)
            ? ((ulong)(bits >> 31) << 63) | (0x7FFul << 52) | ((ulong)(bits & 0x7FFFFF) << 29)
            : BitConverter.DoubleToUInt64Bits(value);
    }
}
