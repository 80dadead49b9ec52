using System.Collections.Immutable;

namespace Graphene;

/// <summary>A whole program: the entry computation, the names of its inputs and outputs, and where its nodes came from.</summary>
/// <param name="Name">The name of the model or graph.</param>
/// <param name="Entry">The computation that a run executes.</param>
/// <param name="InputNames">One name per parameter of the entry.</param>
/// <param name="OutputNames">One name per result of the entry.</param>
/// <param name="Provenance">The origins of the nodes.</param>
public sealed record Module(
    string Name,
    Computation Entry,
    ImmutableArray<string> InputNames,
    ImmutableArray<string> OutputNames,
    ProvenanceTable Provenance)
{
    /// <summary>All symbols in the types of the entry's parameters, each once, ordered by name.</summary>
    public IReadOnlyList<DimSymbol> Symbols =>
        [.. Entry.Parameters.SelectMany(p => p.Type.Shape).SelectMany(d => d.Symbols).Distinct()
            .OrderBy(s => s.Name, StringComparer.Ordinal)];
}
