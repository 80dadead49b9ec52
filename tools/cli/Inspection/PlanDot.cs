using System.Globalization;
using System.Text;
using Graphene.Optimizer;

namespace Graphene.Cli.Inspection;

/// <summary>A memory plan as a Graphviz graph: steps in boxes, an edge to each step that reads what another one wrote last.</summary>
internal static class PlanDot
{
    /// <summary>The text for <c>dot -Tsvg</c>.</summary>
    /// <param name="plan">The plan of a fused module.</param>
    /// <param name="provenance">Where nodes came from.</param>
    public static string Write(MemoryPlan plan, ProvenanceTable provenance)
    {
        var text = new StringBuilder("digraph plan {\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
        var lastWriter = new Dictionary<int, string>();
        foreach (PlannedBuffer buffer in plan.Buffers.Where(b => b.Kind is BufferKind.Parameter or BufferKind.Constant))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"  b{buffer.Index} [label=\"{PlanText.Name(buffer)}\\n{buffer.SizeInBytes} bytes\", "
                    + $"style=filled, fillcolor=\"#d0ebff\"];\n");
            lastWriter[buffer.Index] = string.Create(CultureInfo.InvariantCulture, $"b{buffer.Index}");
        }
        foreach (PlanLine line in PlanLine.Of(plan, provenance))
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"s{line.Number}");
            string part = line.Part.Length == 0 ? "" : $" ({line.Part})";
            text.Append(CultureInfo.InvariantCulture, $"  {name} [label=\"{line.Number}: {line.Action}{part}\"];\n");
            foreach (int buffer in line.Reads.Concat(line.Workspaces).Distinct())
            {
                if (lastWriter.TryGetValue(buffer, out string? writer))
                {
                    text.Append(CultureInfo.InvariantCulture, $"  {writer} -> {name} [label=\"b{buffer}\"];\n");
                }
            }
            foreach (int buffer in line.Writes)
            {
                lastWriter[buffer] = name;
            }
        }
        return text.Append("}\n").ToString();
    }
}
