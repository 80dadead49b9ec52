namespace Graphene.Interop.Numpy;

/// <summary>How NumPy names element types: a byte order, a kind and a size.</summary>
internal static class NpyElementType
{
    private static readonly (string Code, DType Type)[] Codes =
    [
        ("b1", DType.Bool), ("?", DType.Bool),
        ("i1", DType.I8), ("i2", DType.I16), ("i4", DType.I32), ("i8", DType.I64),
        ("u1", DType.U8), ("u2", DType.U16), ("u4", DType.U32), ("u8", DType.U64),
        ("f2", DType.F16), ("f4", DType.F32), ("f8", DType.F64),
    ];

    /// <summary>Understands for example <c>&lt;f4</c>, <c>&gt;i8</c> or <c>|b1</c>.</summary>
    /// <param name="descr">The header's word.</param>
    /// <param name="type">The element type.</param>
    /// <param name="bigEndian">True when each element's most significant byte comes first.</param>
    /// <returns>False when Graphene has no such type.</returns>
    public static bool TryParse(string descr, out DType type, out bool bigEndian)
    {
        bool hasOrder = descr.Length > 0 && descr[0] is '<' or '>' or '|' or '=';
        string code = hasOrder ? descr[1..] : descr;
        bigEndian = hasOrder && descr[0] == '>';
        foreach ((string known, DType knownType) in Codes)
        {
            if (known == code)
            {
                type = knownType;
                return true;
            }
        }
        type = default;
        return false;
    }

    /// <summary>The word for a type; bf16, which NumPy does not have, is written as f32.</summary>
    public static string Describe(DType type)
    {
        DType stored = type == DType.BF16 ? DType.F32 : type;
        string code = Codes.First(c => c.Type == stored).Code;
        return (stored.SizeInBytes() == 1 ? "|" : "<") + code;
    }
}
