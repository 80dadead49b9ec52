namespace Graphene;

/// <summary>What names in IR text stand for.</summary>
internal sealed class TextScope
{
    /// <summary>The declared symbols.</summary>
    public Dictionary<string, DimSymbol> Symbols { get; } = new(StringComparer.Ordinal);

    /// <summary>The nested computations written so far.</summary>
    public Dictionary<string, Computation> Computations { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the nodes come from.</summary>
    public ProvenanceTable Provenance { get; } = new();
}
