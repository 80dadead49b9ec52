using System.Text;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the <c>.mjs</c> beside a module: an ES module without dependencies that loads and runs it.</summary>
/// <remarks>
/// Its text depends on the signature and the names of the files alone; how to feed a module stands in the module itself
/// (<see cref="WasmSection"/>), so one loader serves the modules with and without vectors.
/// </remarks>
internal static partial class WasmLoaderText
{
    /// <summary>The text.</summary>
    /// <param name="plan">The compiled graph.</param>
    /// <param name="plain">The file that runs everywhere; null if there is none.</param>
    /// <param name="simd">The file that needs vectors; null if there is none.</param>
    public static string Write(ExecutablePlan plan, string? plain, string? simd)
    {
        var text = new StringBuilder(
            $"// {plan.Name}, compiled by Graphene. Generated: changes are lost when the model is compiled again.\n");
        string? file = Path.ChangeExtension(plain ?? simd, null)?.Replace(".simd", "", StringComparison.Ordinal);
        text.Append("//\n//   import { load } from './").Append(file);
        text.Append(".mjs';\n//   const model = await load();\n//   const { ");
        text.Append(string.Join(", ", plan.Outputs.Select(o => Local(o.Name)))).Append(" } = model.run({ ");
        text.Append(string.Join(", ", plan.Inputs.Select(i => Local(i.Name)))).Append(" });\n\n");
        Type(text, "Inputs", plan.Inputs.Select(i => (i.Name, i.Type)));
        Type(text, "Outputs", plan.Outputs.Select(o => (o.Name, o.Type)));
        text.Append("const FILES = { plain: ").Append(plain is null ? "null" : WasmText.Quote(plain));
        text.Append(", simd: ").Append(simd is null ? "null" : WasmText.Quote(simd)).Append(" };\n\n");
        return text.Append(plan.IsStatic ? Common + StaticModel : Common + SymbolicModel).ToString();
    }

    private static string Local(string name) => WasmText.Property(name) is var p && p == name ? name : $"{p}: value";

    private static void Type(StringBuilder text, string name, IEnumerable<(string Name, TensorType Type)> values)
    {
        text.Append("/**\n * @typedef {object} ").Append(name).Append('\n');
        foreach ((string value, TensorType type) in values)
        {
            text.Append(" * @property {").Append(WasmText.ArrayOf(type.DType)).Append("} ").Append(WasmText.Property(value));
            text.Append(' ').Append(WasmText.Describe(type)).Append('\n');
        }
        text.Append(" */\n\n");
    }
}
