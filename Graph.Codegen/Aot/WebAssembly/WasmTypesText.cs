using System.Text;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the <c>.d.ts</c> beside a module: its inputs and outputs as TypeScript knows them.</summary>
internal static class WasmTypesText
{
    /// <summary>The text.</summary>
    public static string Write(ExecutablePlan plan)
    {
        var text = new StringBuilder(
            $"// {plan.Name}, compiled by Graphene. Generated: changes are lost when the model is compiled again.\n\n");
        Interface(text, "Inputs", "What the model takes.", [.. plan.Inputs.Select(i => (i.Name, i.Type))], "");
        Interface(text, "Outputs", "What the model gives.", [.. plan.Outputs.Select(o => (o.Name, o.Type))], "");
        text.Append("/** What `run` takes: arrays of the right type, or plain arrays of numbers. */\n");
        text.Append("export type Feeds = { [K in keyof Inputs]: Inputs[K] | ArrayLike<Inputs[K][number]> };\n\n");
        if (!plan.IsStatic)
        {
            text.Append("/** The sizes that the caller chooses. */\nexport interface Dims {\n");
            foreach (DimSymbol symbol in plan.Symbols)
            {
                string bounds = symbol.Max == DimSymbol.Unbounded ? $"at least {symbol.Min}" : $"{symbol.Min} to {symbol.Max}";
                WasmText.Comment(text, "  ", bounds);
                text.Append("  ").Append(WasmText.Property(symbol.Name)).Append(": number;\n");
            }
            text.Append("}\n\n");
        }
        text.Append("/** The model with a memory of its own. One call at a time; several instances are independent. */\n");
        text.Append("export interface Model {\n");
        text.Append("  readonly name: string;\n");
        WasmText.Comment(text, "  ", "The memory that inputs, outputs, weights and scratch lie in.");
        text.Append("  readonly memory: WebAssembly.Memory;\n");
        WasmText.Comment(text, "  ", "Views of the inputs in the model's memory: fill them and call `run()`.");
        text.Append("  readonly inputs: Inputs;\n");
        WasmText.Comment(text, "  ", "Views of the outputs in the model's memory: each run overwrites them.");
        text.Append("  readonly outputs: Outputs;\n");
        if (!plan.IsStatic)
        {
            WasmText.Comment(text, "  ", "The sizes that are bound, or null.");
            text.Append("  readonly dims: Dims | null;\n");
            WasmText.Comment(text, "  ", "Chooses sizes. Memory grows if it must, and views that were taken before are no longer valid.");
            text.Append("  bind(dims: Dims): this;\n");
        }
        WasmText.Comment(text, "  ", "Runs on what `inputs` hold and returns `outputs`, without a copy.");
        text.Append("  run(): Outputs;\n");
        string dims = plan.IsStatic ? "" : ", dims?: Partial<Dims>";
        WasmText.Comment(text, "  ", plan.IsStatic
            ? "Copies the inputs in, runs, and returns copies of the outputs."
            : "Copies the inputs in, runs, and returns copies of the outputs. Sizes are found from the lengths where those tell.");
        text.Append($"  run(inputs: Feeds{dims}): Outputs;\n}}\n\n");
        text.Append("""
            /** Where bytes come from. */
            export type Source = string | URL | Response | BufferSource;

            /** What `load` may be told. */
            export interface LoadOptions {
              /** The weights, when they are a file of their own and not beside the module. */
              weights?: Source;
            }

            /** An error that says what is wrong, why, and how to mend it. */
            export class ModelError extends Error {
              readonly code: 'bad-input' | 'bad-size' | 'bad-weights' | 'no-memory' | 'no-simd' | 'no-size' | 'not-a-model' | 'not-found';
            }

            /**
             * Loads the model.
             * @param source the module, its address, or the address of its folder (ends with a slash); the folder of this file when left out
             */
            export function load(source?: Source | WebAssembly.Module, options?: LoadOptions): Promise<Model>;

            """);
        return text.ToString();
    }

    private static void Interface(
        StringBuilder text, string name, string what, IReadOnlyList<(string Name, TensorType Type)> values, string indent)
    {
        WasmText.Comment(text, indent, what);
        text.Append("export interface ").Append(name).Append(" {\n");
        foreach ((string value, TensorType type) in values)
        {
            WasmText.Comment(text, "  ", WasmText.Describe(type));
            text.Append("  ").Append(WasmText.Property(value)).Append(": ").Append(WasmText.ArrayOf(type.DType)).Append(";\n");
        }
        text.Append("}\n\n");
    }
}
