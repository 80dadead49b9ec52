using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>Writes IR as text. <c>Parser</c> reads it back to an equal module.</summary>
public static class Printer
{
    /// <summary>The canonical text of a computation and of those it carries, for structural equality.</summary>
    internal static string PrintStructure(Computation computation)
    {
        var text = new StringBuilder();
        var names = new Dictionary<Node, string>(ReferenceEqualityComparer.Instance);
        foreach (Node node in computation.PostOrder())
        {
            string name = names.Count.ToString(CultureInfo.InvariantCulture);
            names.Add(node, name);
            text.Append('%').Append(name).Append('=').AppendJoin(';', node.Types).Append(' ').Append(node.Op.Name).Append('(');
            text.AppendJoin(',', node.Operands.Select(o => names[o])).Append(')');
            node.Op.Write(new AttributeWriter(text, c => $"{{{c.StructuralKey}}}", LiteralText.Digest));
            text.Append('\n');
        }
        text.Append("effects ").AppendJoin(',', computation.Effects.Select(n => names[n]));
        text.Append(" return ").AppendJoin(',', computation.Results.Select(n => names[n]));
        return text.ToString();
    }
}
