namespace Graphene.Interop.Onnx.Reading;

/// <summary>The typed field of a TensorProto that may hold an element type instead of raw bytes.</summary>
internal enum TypedField
{
    None,
    Float,
    Int32,
    Int64,
    Double,
    UInt64,
    Text,
}

/// <summary>How an element type is stored in a file: bits per element and the typed field that may carry it.</summary>
internal sealed record ElementFormat(OnnxDataType Type, string Name, int Bits, TypedField Field)
{
    private static readonly ElementFormat[] Table =
    [
        new(OnnxDataType.Float, "f32", 32, TypedField.Float),
        new(OnnxDataType.UInt8, "u8", 8, TypedField.Int32),
        new(OnnxDataType.Int8, "i8", 8, TypedField.Int32),
        new(OnnxDataType.UInt16, "u16", 16, TypedField.Int32),
        new(OnnxDataType.Int16, "i16", 16, TypedField.Int32),
        new(OnnxDataType.Int32, "i32", 32, TypedField.Int32),
        new(OnnxDataType.Int64, "i64", 64, TypedField.Int64),
        new(OnnxDataType.String, "string", 0, TypedField.Text),
        new(OnnxDataType.Bool, "bool", 8, TypedField.Int32),
        new(OnnxDataType.Float16, "f16", 16, TypedField.Int32),
        new(OnnxDataType.Double, "f64", 64, TypedField.Double),
        new(OnnxDataType.UInt32, "u32", 32, TypedField.UInt64),
        new(OnnxDataType.UInt64, "u64", 64, TypedField.UInt64),
        new(OnnxDataType.Complex64, "c64", 64, TypedField.Float),
        new(OnnxDataType.Complex128, "c128", 128, TypedField.Double),
        new(OnnxDataType.BFloat16, "bf16", 16, TypedField.Int32),
        new(OnnxDataType.Float8E4M3FN, "f8e4m3fn", 8, TypedField.Int32),
        new(OnnxDataType.Float8E4M3FNUZ, "f8e4m3fnuz", 8, TypedField.Int32),
        new(OnnxDataType.Float8E5M2, "f8e5m2", 8, TypedField.Int32),
        new(OnnxDataType.Float8E5M2FNUZ, "f8e5m2fnuz", 8, TypedField.Int32),
        new(OnnxDataType.UInt4, "u4", 4, TypedField.Int32),
        new(OnnxDataType.Int4, "i4", 4, TypedField.Int32),
        new(OnnxDataType.Float4E2M1, "f4e2m1", 4, TypedField.Int32),
        new(OnnxDataType.Float8E8M0, "f8e8m0", 8, TypedField.Int32),
        new(OnnxDataType.UInt2, "u2", 2, TypedField.Int32),
        new(OnnxDataType.Int2, "i2", 2, TypedField.Int32),
    ];

    /// <summary>True for types of which several share a byte.</summary>
    public bool IsPacked => Bits is > 0 and < 8;

    /// <summary>Bytes of one element in our form, where packed types take one byte each.</summary>
    public int UnpackedBytes => (Bits + 7) / 8;

    /// <summary>Bytes that <paramref name="count"/> elements take in raw_data.</summary>
    public long StoredBytes(long count) => IsPacked ? ((count * Bits) + 7) / 8 : count * UnpackedBytes;

    /// <summary>The format of a type number, or null for a number that no version we know defines.</summary>
    public static ElementFormat? Find(int dataType)
    {
        foreach (ElementFormat format in Table)
        {
            if ((int)format.Type == dataType)
            {
                return format;
            }
        }

        return null;
    }

    /// <summary>The type's short name, or its number when unknown.</summary>
    public static string NameOf(int dataType) => Find(dataType)?.Name ?? $"type {dataType}";
}
