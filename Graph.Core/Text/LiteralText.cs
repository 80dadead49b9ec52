using System.Globalization;
using System.Text;

namespace Graphene;

/// <summary>
/// Literals in IR text: a scalar or splat as one value, a short list of elements in brackets (row-major, not nested), anything
/// longer as the hexadecimal bytes behind a #.
/// </summary>
internal static class LiteralText
{
    private const int LongestList = 64;

    // Stands for the content where only equality matters.
    public static string Digest(Literal value) => value.ElementCount <= LongestList
        ? Format(value)
        : "sha256:" + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(value.Bytes.Span));

    public static string Format(Literal value)
    {
        if (value.ElementCount > 0 && value.IsSplat())
        {
            return value[0].ToString();
        }
        if (value.ElementCount > LongestList)
        {
            return "#" + Convert.ToHexString(value.Bytes.Span);
        }
        var text = new StringBuilder("[");
        for (int i = 0; i < value.ElementCount; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}{value[i]}");
        }
        return text.Append(']').ToString();
    }
}
