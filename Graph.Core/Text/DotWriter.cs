using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>Draws a module for Graphviz: a box per node, a frame per nested computation.</summary>
public static class DotWriter
{
    /// <summary>The module in the DOT language; long constants are left out.</summary>
    public static string Write(Module module)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"digraph {QuotedText.Quote(module.Name)} {{\n");
        text.Append("  node [shape=box, fontname=\"monospace\", fontsize=10];\n  compound=true;\n");
        var drawing = new Drawing(text);
        drawing.Add(module.Entry, "main", "  ");
        return text.Append("}\n").ToString();
    }

    private sealed class Drawing(StringBuilder text)
    {
        private int _frames;

        // The recursion is as deep as computations nest, which GraphBuilder.Build bounds.
        public void Add(Computation computation, string prefix, string indentation)
        {
            foreach (Node node in computation.PostOrder())
            {
                string id = Id(prefix, node);
                text.Append(indentation).Append(id).Append(" [label=").Append(Label(node)).Append(Style(node)).Append("];\n");
                for (int i = 0; i < node.Operands.Length; i++)
                {
                    string place = node.Operands.Length > 1 ? $" [headlabel=\"{i}\"]" : "";
                    text.Append(indentation).Append(Id(prefix, node.Operands[i])).Append(" -> ").Append(id).Append(place).Append(";\n");
                }
                foreach (Computation nested in node.Op.Computations)
                {
                    AddFrame(nested, id, indentation);
                }
            }
            for (int i = 0; i < computation.Results.Length; i++)
            {
                text.Append(indentation).Append(
                    CultureInfo.InvariantCulture, $"{prefix}_result{i} [label=\"result {i}\", shape=ellipse];\n");
                text.Append(indentation).Append(Id(prefix, computation.Results[i]))
                    .Append(CultureInfo.InvariantCulture, $" -> {prefix}_result{i};\n");
            }
        }

        private void AddFrame(Computation nested, string user, string indentation)
        {
            string prefix = $"c{(_frames++).ToString(CultureInfo.InvariantCulture)}";
            string inner = indentation + "  ";
            text.Append(indentation).Append("subgraph cluster_").Append(prefix).Append(" {\n");
            text.Append(inner).Append("label=").Append(QuotedText.Quote(nested.Name)).Append(";\n");
            Add(nested, prefix, inner);
            text.Append(indentation).Append("}\n");
            if (!nested.Results.IsEmpty)
            {
                text.Append(indentation).Append(prefix).Append("_result0 -> ").Append(user).Append(" [style=dashed];\n");
            }
        }

        private static string Id(string prefix, Node node) => $"{prefix}_{node.Id.ToString(CultureInfo.InvariantCulture)}";

        private static string Style(Node node) => node.Op switch
        {
            ParameterOp => ", style=filled, fillcolor=\"#dde8f5\"",
            ConstantOp => ", style=filled, fillcolor=\"#eeeeee\"",
            { HasSideEffects: true } => ", style=filled, fillcolor=\"#f8dddd\"",
            { IsExpensive: true } => ", style=filled, fillcolor=\"#fbeecf\"",
            _ => "",
        };

        private static string Label(Node node)
        {
            var attributes = new StringBuilder();
            node.Op.Write(new AttributeWriter(attributes, c => c.Name, LiteralText.Elide));
            string types = node.Types.IsEmpty ? "()" : string.Join(", ", node.Types);
            string[] lines = [node.Op.Name, types, .. attributes.ToString().Split(", ", StringSplitOptions.RemoveEmptyEntries)];
            return '"' + string.Join("\\n", lines.Select(line => QuotedText.Quote(line)[1..^1])) + '"';
        }
    }
}
