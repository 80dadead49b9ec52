namespace Graphene;

/// <summary>A named dimension whose value is known only when the graph runs.</summary>
/// <param name="Name">The name; symbols are the same when name and bounds are.</param>
/// <param name="Min">The smallest value that may be fed, at least 0.</param>
/// <param name="Max">The largest value that may be fed.</param>
public sealed record DimSymbol(string Name, long Min = 0, long Max = DimSymbol.Unbounded)
{
    /// <summary>The bound of a symbol for which none was given; large enough for any tensor that fits in memory.</summary>
    public const long Unbounded = int.MaxValue;

    /// <summary>The name as in IR text: quoted unless it is a plain word, so that it is not taken for an expression.</summary>
    public override string ToString() => Quote(Name);

    /// <summary>True for the functions that dim expressions are written with.</summary>
    internal static bool IsReservedWord(string name) => name is "floordiv" or "max" or "min";

    internal static string Quote(string name) => IsPlainWord(name) ? name : QuotedText.Quote(name);

    private static bool IsPlainWord(string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.'))
            {
                return false;
            }
        }
        return name.Length > 0 && !char.IsAsciiDigit(name[0]) && !IsReservedWord(name);
    }
}
