using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Graphene.Codegen.Llvm;

/// <summary>
/// Tables of <see cref="KLookup"/> in memory. A name tells the content, so a module defines the tables whose names its functions have,
/// each once.
/// </summary>
internal static partial class LlvmLookupTable
{
    private const string Prefix = "lookup_";
    private const int DigitsOfEntry = 8;

    /// <summary>The name of a table, without the sign of a global before it.</summary>
    public static string Name(KLookup lookup) => Prefix + string.Concat(
        lookup.Entries.Select(e => ((uint)e.Bits).ToString("x8", CultureInfo.InvariantCulture)));

    /// <summary>The definitions of all tables that are named in functions.</summary>
    /// <param name="functions">The text of the functions.</param>
    /// <param name="storage">What stands between a table's name and its type.</param>
    public static string Definitions(IEnumerable<string> functions, string storage = "private unnamed_addr constant")
    {
        var text = new StringBuilder();
        // Most machines have the instruction, and functions are long: one quick look first.
        IEnumerable<string> named = functions.Where(f => f.Contains(Prefix, StringComparison.Ordinal))
            .SelectMany(f => Names().Matches(f)).Select(m => m.Value);
        foreach (string name in named.Distinct().Order(StringComparer.Ordinal))
        {
            IEnumerable<Scalar> entries = name[^(KLookup.Count * DigitsOfEntry)..].Chunk(DigitsOfEntry).Select(
                digits => Scalar.FromBits(DType.F32, uint.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
            string content = LlvmTypes.List([.. entries]).Name.Replace('<', '[').Replace('>', ']');
            text.Append(CultureInfo.InvariantCulture, $"{name} = {storage} [{KLookup.Count} x float] {content}, align 64\n");
        }
        return text.ToString();
    }

    [GeneratedRegex("@[A-Za-z0-9_.$]*" + Prefix + "[0-9a-f]{64}")]
    private static partial Regex Names();
}
