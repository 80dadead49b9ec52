using System.Globalization;
using System.Text;

namespace Graphene.Cli.Inspection;

/// <summary>Short texts about nodes, for people.</summary>
internal static class NodeText
{
    private const int LongestConstant = 16;

    /// <summary>An op's attributes as in IR text, without the contents of long constants.</summary>
    public static string Attributes(Node node)
    {
        var text = new StringBuilder();
        node.Op.Write(new AttributeWriter(text, c => c.Name, Constant));
        return text.Length == 0 ? "" : text.ToString(2, text.Length - 2);
    }

    private static string Constant(Literal value)
    {
        if (value.ElementCount > LongestConstant)
        {
            return string.Create(CultureInfo.InvariantCulture, $"({value.Bytes.Length} bytes)");
        }
        return "{" + string.Join(", ", Enumerable.Range(0, (int)value.ElementCount).Select(i => value[i])) + "}";
    }
}
