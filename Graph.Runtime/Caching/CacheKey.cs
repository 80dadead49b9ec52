using System.Globalization;
using System.Text;
using Graphene.Hashing;

namespace Graphene.Runtime;

/// <summary>Names compiled code by what it was compiled from.</summary>
public static class CacheKey
{
    /// <summary>The key for a graph and everything else that its code depends on.</summary>
    /// <param name="module">The graph as it is given to the compiler: its structure, constants, names and symbol
    /// bounds count.</param>
    /// <param name="fingerprint">See <see cref="IExecutableCompiler.Fingerprint"/>.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static string Of(Module module, string fingerprint)
    {
        var parts = new List<string> { $"graphene executable {Version}", fingerprint, module.Name };
        foreach (string name in module.InputNames)
        {
            parts.Add($"in {name}");
        }
        foreach (string name in module.OutputNames)
        {
            parts.Add($"out {name}");
        }
        foreach (DimSymbol symbol in module.Symbols)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"symbol {symbol.Name} {symbol.Min} {symbol.Max}"));
        }
        parts.Add(module.Entry.StructuralKey);
        return HashOf(parts);
    }

    /// <summary>The key for a graph that is not loaded, and everything else that its code depends on.</summary>
    /// <param name="source">Where the graph would come from.</param>
    /// <param name="fingerprint">See <see cref="IExecutableCompiler.Fingerprint"/>.</param>
    /// <returns>64 hexadecimal digits, different from those of any <see cref="Of(Module, string)"/>.</returns>
    public static string Of(IGraphSource source, string fingerprint) =>
        HashOf([$"graphene executable of a source {Version}", fingerprint, source.Key]);

    /// <summary>The name of a link to a key, for a source that says at once what it is.</summary>
    /// <param name="source">Where the graph would come from.</param>
    /// <param name="fingerprint">See <see cref="IExecutableCompiler.Fingerprint"/>.</param>
    /// <returns>
    /// 64 hexadecimal digits, different from those of any key; null when the source has no
    /// <see cref="IGraphSource.Stamp"/>.
    /// </returns>
    public static string? OfStamp(IGraphSource source, string fingerprint) => source.Stamp is { } stamp
        ? HashOf([$"graphene link to the executable of a source {Version}", fingerprint, stamp])
        : null;

    /// <summary>What tells a damaged text from the one that was written: 64 hexadecimal digits.</summary>
    internal static string Checksum(string text) => HashOf(["graphene checksum", text]);

    private static string Version => FileLayout.Version.ToString(CultureInfo.InvariantCulture);

    // Each text with its length, so that no two lists of texts run together to the same bytes.
    private static string HashOf(List<string> parts)
    {
        var bytes = new MemoryStream();
        foreach (string part in parts)
        {
            byte[] text = Encoding.UTF8.GetBytes(part);
            bytes.Write(BitConverter.GetBytes(text.LongLength));
            bytes.Write(text);
        }
        return Convert.ToHexStringLower(Blake3.Hash(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
    }
}
