using Graphene.Interop.Onnx.Reading;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>How ONNX's element types are held in Graphene's.</summary>
/// <remarks>
/// Types that Graphene does not compute in are held in a wider one: 4-bit and 2-bit integers as the 8-bit integer of the same
/// sign, 8-bit and 4-bit floats as their code in u8. ONNX lets such values only be moved and converted.
/// </remarks>
internal static class OnnxTypes
{
    /// <summary>The element type that holds an ONNX type.</summary>
    /// <param name="type">The type in the file.</param>
    /// <param name="where">What has this type, for the error.</param>
    /// <exception cref="GraphException">GR4011: nothing can hold it.</exception>
    public static DType Storage(OnnxDataType type, string where) => TryStorage(type) ?? throw new GraphException(
        OnnxDiagnosticIds.UnsupportedType,
        $"onnx: element type {ElementFormat.NameOf((int)type)} is not supported",
        where,
        "Graphene has bool, i8 to i64, u8 to u64, f16, bf16, f32 and f64",
        "convert the model to one of these types");

    /// <summary>The element type that holds an ONNX type, or null.</summary>
    public static DType? TryStorage(OnnxDataType type) => type switch
    {
        OnnxDataType.Float => DType.F32,
        OnnxDataType.Double => DType.F64,
        OnnxDataType.Float16 => DType.F16,
        OnnxDataType.BFloat16 => DType.BF16,
        OnnxDataType.Bool => DType.Bool,
        OnnxDataType.Int8 or OnnxDataType.Int4 or OnnxDataType.Int2 => DType.I8,
        OnnxDataType.Int16 => DType.I16,
        OnnxDataType.Int32 => DType.I32,
        OnnxDataType.Int64 => DType.I64,
        OnnxDataType.UInt8 or OnnxDataType.UInt4 or OnnxDataType.UInt2 => DType.U8,
        OnnxDataType.UInt16 => DType.U16,
        OnnxDataType.UInt32 => DType.U32,
        OnnxDataType.UInt64 => DType.U64,
        OnnxDataType.Float8E4M3FN or OnnxDataType.Float8E4M3FNUZ or OnnxDataType.Float8E5M2 or
            OnnxDataType.Float8E5M2FNUZ or OnnxDataType.Float8E8M0 or OnnxDataType.Float4E2M1 => DType.U8,
        _ => null,
    };

    /// <summary>The ONNX type that is held as itself in an element type.</summary>
    public static OnnxDataType Of(DType type) => type switch
    {
        DType.F32 => OnnxDataType.Float,
        DType.F64 => OnnxDataType.Double,
        DType.F16 => OnnxDataType.Float16,
        DType.BF16 => OnnxDataType.BFloat16,
        DType.Bool => OnnxDataType.Bool,
        DType.I8 => OnnxDataType.Int8,
        DType.I16 => OnnxDataType.Int16,
        DType.I32 => OnnxDataType.Int32,
        DType.I64 => OnnxDataType.Int64,
        DType.U8 => OnnxDataType.UInt8,
        DType.U16 => OnnxDataType.UInt16,
        DType.U32 => OnnxDataType.UInt32,
        DType.U64 => OnnxDataType.UInt64,
        DType.C64 => OnnxDataType.Complex64,
        _ => OnnxDataType.Complex128,
    };

    /// <summary>True when Graphene has the type itself.</summary>
    public static bool IsNative(OnnxDataType type) => TryStorage(type) is { } storage && Of(storage) == type;

    /// <summary>True for the 8-bit and 4-bit floats, which are held as their code.</summary>
    public static bool IsSmallFloat(OnnxDataType type) => type is
        OnnxDataType.Float8E4M3FN or OnnxDataType.Float8E4M3FNUZ or OnnxDataType.Float8E5M2 or
        OnnxDataType.Float8E5M2FNUZ or OnnxDataType.Float8E8M0 or OnnxDataType.Float4E2M1;

    /// <summary>True for the 4-bit and 2-bit integers.</summary>
    public static bool IsSmallInteger(OnnxDataType type) => type is
        OnnxDataType.Int4 or OnnxDataType.UInt4 or OnnxDataType.Int2 or OnnxDataType.UInt2;

    /// <summary>A stored tensor as a literal of its storage type.</summary>
    public static Literal ToLiteral(StoredTensor tensor)
    {
        DType storage = Storage(tensor.Format.Type, tensor.Name);
        if (tensor.Left is not null)
        {
            return new Literal(new TensorType(storage, Shape.Of(tensor.Dims)), tensor.Left);
        }
        ReadOnlyMemory<byte> bytes = tensor.Bytes;
        if (storage == DType.Bool && bytes.Span.IndexOfAnyInRange((byte)2, (byte)255) >= 0)
        {
            throw OnnxErrors.BadTensor(tensor.Name, "a truth value is neither 0 nor 1", "bool elements are one byte, 0 or 1");
        }
        return new Literal(new TensorType(storage, Shape.Of(tensor.Dims)), bytes);
    }
}
