using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Graphene.Optimizer;

namespace Graphene.Cli.Inspection;

/// <summary>A memory plan as JSON for programs: symbols, arena, buffers, and the steps with their depth of nesting.</summary>
internal static class PlanJson
{
    /// <summary>The JSON text, indented.</summary>
    /// <param name="plan">The plan of a fused module.</param>
    /// <param name="provenance">Where nodes came from.</param>
    public static string Write(MemoryPlan plan, ProvenanceTable provenance)
    {
        ArenaLayout? layout = PlanText.Layout(plan);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("symbols");
            foreach (DimSymbol symbol in plan.Symbols)
            {
                json.WriteStringValue(symbol.Name);
            }
            json.WriteEndArray();
            if (layout is not null)
            {
                json.WriteNumber("arena_bytes", layout.SizeInBytes);
            }
            json.WriteStartArray("buffers");
            foreach (PlannedBuffer buffer in plan.Buffers)
            {
                Buffer(json, buffer, layout);
            }
            json.WriteEndArray();
            json.WriteStartArray("steps");
            foreach (PlanLine line in PlanLine.Of(plan, provenance))
            {
                Step(json, line);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // A size that depends on symbols is its expression as a string.
    private static void Buffer(Utf8JsonWriter json, PlannedBuffer buffer, ArenaLayout? layout)
    {
        json.WriteStartObject();
        json.WriteNumber("index", buffer.Index);
        json.WriteString("kind", buffer.Kind.ToString().ToLowerInvariant());
        json.WriteNumber("number", buffer.Number);
        if (buffer.SizeInBytes.IsStatic)
        {
            json.WriteNumber("bytes", buffer.SizeInBytes.Value);
        }
        else
        {
            json.WriteString("bytes", buffer.SizeInBytes.ToString());
        }
        if (buffer.Kind == BufferKind.Part)
        {
            json.WriteString("offset", buffer.OffsetInBytes.ToString());
            if (buffer.Box is { } box)
            {
                json.WriteString("box", box.Part.ToString());
                json.WriteString("starts", box.Starts.ToString());
                json.WriteString("whole", box.Whole.ToString());
            }
        }
        if (buffer.Kind == BufferKind.Temporary)
        {
            json.WriteNumber("first_step", buffer.Live.First);
            json.WriteNumber("last_step", buffer.Live.Last);
            if (layout is not null)
            {
                json.WriteNumber("offset", layout.Offsets[buffer.Index]);
            }
        }
        json.WriteEndObject();
    }

    private static void Step(Utf8JsonWriter json, PlanLine line)
    {
        json.WriteStartObject();
        json.WriteNumber("number", line.Number);
        json.WriteNumber("depth", line.Depth);
        if (line.Part.Length > 0)
        {
            json.WriteString("part", line.Part);
        }
        json.WriteString("action", line.Action);
        Numbers(json, "reads", line.Reads);
        Numbers(json, "writes", line.Writes);
        Numbers(json, "workspaces", line.Workspaces);
        if (line.Origin.Length > 0)
        {
            json.WriteString("origin", line.Origin);
        }
        json.WriteEndObject();
    }

    private static void Numbers(Utf8JsonWriter json, string key, ImmutableArray<int> values)
    {
        json.WriteStartArray(key);
        foreach (int value in values)
        {
            json.WriteNumberValue(value);
        }
        json.WriteEndArray();
    }
}
