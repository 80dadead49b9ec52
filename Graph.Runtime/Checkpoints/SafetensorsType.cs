namespace Graphene.Runtime;

/// <summary>How the safetensors format names element types.</summary>
internal static class SafetensorsType
{
    private static readonly (string Code, DType Type)[] _codes =
    [
        ("BOOL", DType.Bool), ("I8", DType.I8), ("I16", DType.I16), ("I32", DType.I32), ("I64", DType.I64),
        ("U8", DType.U8), ("U16", DType.U16), ("U32", DType.U32), ("U64", DType.U64),
        ("F16", DType.F16), ("BF16", DType.BF16), ("F32", DType.F32), ("F64", DType.F64),
    ];

    /// <summary>All names, for messages.</summary>
    public static string All => string.Join(", ", _codes.Select(c => c.Code));

    /// <summary>The type of a name; false when Graphene has none.</summary>
    public static bool TryParse(string code, out DType type)
    {
        int index = Array.FindIndex(_codes, c => c.Code == code);
        type = index < 0 ? default : _codes[index].Type;
        return index >= 0;
    }

    /// <summary>The name of a type.</summary>
    public static string Describe(DType type) => Array.Find(_codes, c => c.Type == type).Code
        ?? throw new NotSupportedException($"safetensors has no element type for {type.Name()}");
}
