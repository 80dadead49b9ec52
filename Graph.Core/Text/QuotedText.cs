using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>Strings in IR text: double quotes, backslash escapes for quote, backslash and control characters.</summary>
internal static class QuotedText
{
    public static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                < ' ' or '\x7f' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        return text.Append('"').ToString();
    }
}
