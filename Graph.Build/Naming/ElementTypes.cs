namespace Graphene.Build.Naming;

/// <summary>The C# type of the elements of a tensor.</summary>
internal static class ElementTypes
{
    /// <summary>The C# type for an element type as Graphene writes it.</summary>
    /// <exception cref="System.FormatException">There is none.</exception>
    public static string Of(string dtype) => dtype switch
    {
        "bool" => "bool",
        "i8" => "sbyte",
        "i16" => "short",
        "i32" => "int",
        "i64" => "long",
        "u8" => "byte",
        "u16" => "ushort",
        "u32" => "uint",
        "u64" => "ulong",
        "f16" => "global::System.Half",
        "bf16" => "global::Graphene.BFloat16",
        "f32" => "float",
        "f64" => "double",
        _ => throw new System.FormatException($"elements of type {dtype} have no C# type"),
    };
}
