using System.Globalization;
using System.Security.Cryptography;
using System.Text;

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
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, $"graphene executable {FileLayout.Version.ToString(CultureInfo.InvariantCulture)}");
        Add(hash, fingerprint);
        Add(hash, module.Name);
        foreach (string name in module.InputNames)
        {
            Add(hash, $"in {name}");
        }
        foreach (string name in module.OutputNames)
        {
            Add(hash, $"out {name}");
        }
        foreach (DimSymbol symbol in module.Symbols)
        {
            Add(hash, string.Create(CultureInfo.InvariantCulture, $"symbol {symbol.Name} {symbol.Min} {symbol.Max}"));
        }
        Add(hash, module.Entry.StructuralKey);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The key for a graph that is not loaded, and everything else that its code depends on.</summary>
    /// <param name="source">Where the graph would come from.</param>
    /// <param name="fingerprint">See <see cref="IExecutableCompiler.Fingerprint"/>.</param>
    /// <returns>64 hexadecimal digits, different from those of any <see cref="Of(Module, string)"/>.</returns>
    public static string Of(IGraphSource source, string fingerprint)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, $"graphene executable of a source {FileLayout.Version.ToString(CultureInfo.InvariantCulture)}");
        Add(hash, fingerprint);
        Add(hash, source.Key);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // With its length, so that no two lists of texts run together to the same bytes.
    private static void Add(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
        hash.AppendData(bytes);
    }
}
