using System.Collections.Immutable;
using System.Text;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>One signature of a native library with the code of all its variants, and its names in C.</summary>
/// <param name="Library">What every symbol of the library begins with.</param>
/// <param name="Name">The signature's name.</param>
/// <param name="Plans">One for each variant, in the target's order.</param>
internal sealed record NativeFunction(string Library, string Name, ImmutableArray<NativePlan> Plans)
{
    /// <summary>What all variants have in common: inputs, outputs, symbols, checks.</summary>
    public ExecutablePlan Plan => Plans[0].Plan;

    /// <summary>True when sizes depend on dims, which each run is then told.</summary>
    public bool HasDims => !Plan.Symbols.IsEmpty;

    /// <summary>The name of the function that runs it.</summary>
    public string Symbol => $"{Library}_{Name}";

    /// <summary>What the names of what belongs to this signature begin with: the library's for <c>run</c>.</summary>
    public string Prefix => Name == CompiledGraph.DefaultSignature ? Library : Symbol;

    /// <summary>What the macros of this signature begin with.</summary>
    public string MacroPrefix => CName.Upper(Prefix);

    /// <summary>The bytes of the workspace when no size depends on a dim.</summary>
    public long StaticWorkspaceBytes => Plans.Max(p => p.StaticWorkspaceBytes);

    /// <summary>The functions in C, in the order of the header.</summary>
    public IEnumerable<string> Exports =>
    [
        Symbol, $"{Symbol}_parallel", $"{Prefix}_describe", .. HasDims ? (string[])
        [$"{Prefix}_workspace_size", $"{Prefix}_input_size", $"{Prefix}_output_size"] : [],
    ];
}

/// <summary>Names that C accepts.</summary>
internal static class CName
{
    /// <summary>A name with everything that C does not accept replaced.</summary>
    public static string Of(string name)
    {
        var text = new StringBuilder();
        foreach (char c in name)
        {
            text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }
        return text.Length == 0 || char.IsAsciiDigit(text[0]) ? $"_{text}" : text.ToString();
    }

    /// <summary>The name of a macro.</summary>
    public static string Upper(string name) => Of(name).ToUpperInvariant();

    /// <summary>True for what may be the name of a library or a signature.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 64 && char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>Macro names of things, made different where they would be equal.</summary>
    public static string[] Distinct(IEnumerable<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return
        [
            .. names.Select((n, i) => seen.Add(Upper(n))
                ? Upper(n)
                : $"{Upper(n)}_{i.ToString(System.Globalization.CultureInfo.InvariantCulture)}"),
        ];
    }
}
