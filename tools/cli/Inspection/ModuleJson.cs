using System.Text;
using System.Text.Json;

namespace Graphene.Cli.Inspection;

/// <summary>A module as JSON for programs: inputs, outputs, and the nodes of every computation.</summary>
internal static class ModuleJson
{
    /// <summary>The JSON text, indented.</summary>
    public static string Write(Module module)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("name", module.Name);
            Ports(json, "inputs", module.InputNames, module.Entry.Parameters);
            Ports(json, "outputs", module.OutputNames, module.Entry.Results);
            json.WritePropertyName("entry");
            Computation(json, module.Entry, module.Provenance);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Ports(Utf8JsonWriter json, string key, IReadOnlyList<string> names, IReadOnlyList<Node> nodes)
    {
        json.WriteStartArray(key);
        for (int i = 0; i < names.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("name", names[i]);
            json.WriteString("type", nodes[i].Type.ToString());
            json.WriteNumber("node", nodes[i].Id);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Computation(Utf8JsonWriter json, Computation computation, ProvenanceTable provenance)
    {
        json.WriteStartObject();
        json.WriteString("name", computation.Name);
        json.WriteStartArray("nodes");
        foreach (Node node in computation.PostOrder())
        {
            json.WriteStartObject();
            json.WriteNumber("id", node.Id);
            json.WriteString("op", node.Op.Name);
            Strings(json, "types", node.Types.Select(t => t.ToString()));
            json.WriteStartArray("operands");
            foreach (Node operand in node.Operands)
            {
                json.WriteNumberValue(operand.Id);
            }
            json.WriteEndArray();
            if (NodeText.Attributes(node) is { Length: > 0 } attributes)
            {
                json.WriteString("attributes", attributes);
            }
            if (provenance[node].Count > 0)
            {
                Strings(json, "origin", provenance[node].Select(p => p.ToString()));
            }
            if (!node.Op.Computations.IsEmpty)
            {
                json.WriteStartArray("computations");
                foreach (Computation nested in node.Op.Computations)
                {
                    Computation(json, nested, provenance);
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("results");
        foreach (Node result in computation.Results)
        {
            json.WriteNumberValue(result.Id);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string key, IEnumerable<string> values)
    {
        json.WriteStartArray(key);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }
}
