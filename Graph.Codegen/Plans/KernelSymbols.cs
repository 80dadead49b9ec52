using System.Globalization;

namespace Graphene.Codegen;

/// <summary>The names of kernels by what they are: equal kernels of one target are one function, whichever graph asks for them.</summary>
/// <param name="prefix">What every name begins with.</param>
internal sealed class KernelSymbols(string prefix = "")
{
    private readonly Dictionary<string, string> _symbols = new(StringComparer.Ordinal);

    /// <summary>How many kernels there are.</summary>
    public int Count => _symbols.Count;

    /// <summary>Finds or makes the name of a kernel.</summary>
    /// <param name="name">What the kernel does, a word of the name.</param>
    /// <param name="body">Its LLVM IR.</param>
    /// <param name="symbol">The name.</param>
    /// <returns>True when the kernel was not there.</returns>
    public bool Add(string name, string body, out string symbol)
    {
        if (_symbols.TryGetValue(body, out string? known))
        {
            symbol = known;
            return false;
        }
        symbol = string.Create(CultureInfo.InvariantCulture, $"{prefix}{name}_{_symbols.Count}");
        _symbols.Add(body, symbol);
        return true;
    }
}
