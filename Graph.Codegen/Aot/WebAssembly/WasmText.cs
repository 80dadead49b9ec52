using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Pieces of JavaScript and TypeScript that say what a graph takes and gives.</summary>
internal static class WasmText
{
    /// <summary>A string literal.</summary>
    public static string Quote(string text) =>
        '"' + JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString() + '"';

    /// <summary>The name of a property: quoted unless it is a plain identifier.</summary>
    public static string Property(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '$')
            ? name
            : Quote(name);

    /// <summary>The array that holds elements of a type; f16 and bf16 are their bits, a bool is 0 or 1.</summary>
    public static string ArrayOf(DType type) => type switch
    {
        DType.F32 => "Float32Array",
        DType.F64 => "Float64Array",
        DType.I8 => "Int8Array",
        DType.I16 => "Int16Array",
        DType.I32 => "Int32Array",
        DType.I64 => "BigInt64Array",
        DType.U16 or DType.F16 or DType.BF16 => "Uint16Array",
        DType.U32 => "Uint32Array",
        DType.U64 => "BigUint64Array",
        _ => "Uint8Array",
    };

    /// <summary>What a caller reads about a value: its type and shape, safe inside a comment.</summary>
    public static string Describe(TensorType type)
    {
        string note = type.DType switch
        {
            DType.F16 or DType.BF16 => ", as bits",
            DType.Bool => ", 0 or 1",
            _ => "",
        };
        return $"{type.ToString().Replace("*/", "* /", StringComparison.Ordinal)}{note}";
    }

    /// <summary>The symbols of a graph that are not values of one name only once.</summary>
    public static string Symbols(ExecutablePlan plan) =>
        string.Join(" | ", plan.Symbols.Select(s => Quote(s.Name)));

    /// <summary>A comment of documentation of one line.</summary>
    public static void Comment(StringBuilder text, string indent, string content) =>
        text.Append(indent).Append("/** ").Append(content).Append(" */\n");
}
