using System.Globalization;
using System.Text;

namespace Graphene.Cli.Inspection;

/// <summary>The entry computation as a Graphviz graph.</summary>
internal static class ModuleDot
{
    /// <summary>The text for <c>dot -Tsvg</c>.</summary>
    public static string Write(Module module)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"digraph {Quote(module.Name)} {{\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
        foreach (Node node in module.Entry.PostOrder())
        {
            string label = $"%{node.Id} {node.Op.Name}\\n{string.Join(", ", node.Types)}";
            string look = node.Op is ParameterOp ? ", style=filled, fillcolor=\"#d0ebff\""
                : module.Entry.Results.Contains(node) ? ", style=filled, fillcolor=\"#d3f9d8\"" : "";
            text.Append(CultureInfo.InvariantCulture, $"  n{node.Id} [label={Quote(label)}{look}];\n");
            foreach (Node operand in node.Operands)
            {
                text.Append(CultureInfo.InvariantCulture, $"  n{operand.Id} -> n{node.Id};\n");
            }
        }
        return text.Append("}\n").ToString();
    }

    // Backslashes stay: \n in a label is Graphviz's line break, and names of ops and types hold none.
    private static string Quote(string text) => $"\"{text.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
