using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the custom section of a module: what a loader must know to feed it, as JSON.</summary>
/// <remarks>
/// Names, types and shapes of inputs and outputs; where they are, or which buffers they are when dims are symbolic, with all that is
/// needed to place those. A dim is a number, a symbol's name, or <c>[operation, dim, dim]</c>.
/// </remarks>
internal static class WasmSection
{
    /// <summary>The section's name.</summary>
    public const string Name = "graphene";

    private const int Version = 1;

    /// <summary>The JSON text in UTF-8.</summary>
    /// <param name="plan">The compiled graph.</param>
    /// <param name="layout">Where things are.</param>
    /// <param name="table">The address of the table of buffers.</param>
    /// <param name="symbols">The address of the values of symbolic dims.</param>
    /// <param name="weightBytes">The size of the weights if they are a file of their own, else 0.</param>
    public static byte[] Write(ExecutablePlan plan, WasmLayout layout, long table, long symbols, long weightBytes)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("name", plan.Name);
            if (weightBytes > 0)
            {
                json.WritePropertyName("weights");
                json.WriteRawValue(string.Create(CultureInfo.InvariantCulture, $"[{layout.Weights},{weightBytes}]"));
            }
            WriteValues(json, "inputs", [.. plan.Inputs.Select((p, i) => (p.Name, p.Type, Parameter(plan, i)))], layout, plan.IsStatic);
            WriteValues(json, "outputs", [.. plan.Outputs.Select(o => (o.Name, o.Type, o.Buffer))], layout, plan.IsStatic);
            if (!plan.IsStatic)
            {
                WriteSymbolic(json, plan, layout, table, symbols);
            }
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    // An input that nothing reads has a place, too: it is fed like the others.
    private static int Parameter(ExecutablePlan plan, int input) =>
        plan.Buffers.Select((b, i) => (b, i)).First(p => p.b.Kind == BufferKind.Parameter && p.b.Index == input).i;

    private static void WriteValues(
        Utf8JsonWriter json, string what, ImmutableArray<(string Name, TensorType Type, int Buffer)> values, WasmLayout layout,
        bool isStatic)
    {
        json.WriteStartArray(what);
        foreach ((string name, TensorType type, int buffer) in values)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("type", type.DType.Name());
            json.WriteStartArray("shape");
            foreach (Dim dim in type.Shape)
            {
                json.WriteRawValue(DimText.Write(dim));
            }
            json.WriteEndArray();
            json.WriteNumber(isStatic ? "at" : "buffer", isStatic ? layout.Addresses[buffer] : buffer);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteSymbolic(Utf8JsonWriter json, ExecutablePlan plan, WasmLayout layout, long table, long symbols)
    {
        json.WriteStartArray("symbols");
        foreach (DimSymbol symbol in plan.Symbols)
        {
            json.WriteStartArray();
            json.WriteStringValue(symbol.Name);
            json.WriteNumberValue(symbol.Min);
            json.WriteNumberValue(symbol.Max);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteNumber("symbolsAt", symbols);
        json.WriteNumber("buffersAt", table);
        json.WriteNumber("free", layout.Free);
        json.WriteStartArray("buffers");
        for (int i = 0; i < plan.Buffers.Length; i++)
        {
            WriteBuffer(json, plan.Buffers[i], layout.Addresses[i]);
        }
        json.WriteEndArray();
        json.WriteStartArray("checks");
        foreach (ShapeCheck check in plan.Checks)
        {
            json.WriteStartArray();
            json.WriteRawValue(DimText.Write(check.Condition.Left));
            json.WriteStringValue(check.Condition.Relation == DimRelation.Equal ? "==" : "<=");
            json.WriteRawValue(DimText.Write(check.Condition.Right));
            json.WriteStringValue(check.Condition.ToString());
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    // A constant is its address; the caller's memory its size; a piece of the arena its size and the steps in which it is in use.
    private static void WriteBuffer(Utf8JsonWriter json, BufferSpec buffer, long address)
    {
        if (buffer.Kind == BufferKind.Constant)
        {
            json.WriteNumberValue(address);
            return;
        }
        json.WriteStartArray();
        json.WriteRawValue(DimText.Write(buffer.SizeInBytes));
        if (buffer.Kind == BufferKind.Temp)
        {
            json.WriteNumberValue(buffer.FirstStep);
            json.WriteNumberValue(buffer.LastStep);
        }
        json.WriteEndArray();
    }

    private sealed class DimText : DimVisitor<string>
    {
        public static string Write(Dim dim) => new DimText().Visit(dim);

        protected override string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

        protected override string Symbol(DimSymbol symbol) => WasmText.Quote(symbol.Name);

        protected override string Add(string left, string right) => $"[\"+\",{left},{right}]";

        protected override string Multiply(string left, string right) => $"[\"*\",{left},{right}]";

        protected override string FloorDiv(string left, string right) => $"[\"/\",{left},{right}]";

        protected override string Max(string left, string right) => $"[\"max\",{left},{right}]";

        protected override string Min(string left, string right) => $"[\"min\",{left},{right}]";
    }
}
