using System.Collections.Immutable;

namespace Graphene;

/// <summary>Replaces symbolic dims of a module by numbers.</summary>
public static class Specialization
{
    /// <summary>The module for given sizes; symbols without an entry stay.</summary>
    /// <param name="module">A module.</param>
    /// <param name="dims">Sizes by the names of symbols.</param>
    /// <exception cref="GraphException">GR1060: no symbol has that name, or its bounds exclude the size.</exception>
    public static Module Apply(Module module, IReadOnlyDictionary<string, long> dims)
    {
        IReadOnlyList<DimSymbol> symbols = module.Symbols;
        var values = new Dictionary<DimSymbol, Dim>();
        foreach ((string name, long size) in dims)
        {
            DimSymbol[] named = [.. symbols.Where(s => s.Name == name)];
            if (named.Length == 0)
            {
                throw new GraphException(
                    DiagnosticId.BadDimensionValue, $"{module.Name}: there is no symbolic dimension '{name}'",
                    fix: symbols.Count == 0 ? "all dimensions are numbers" : $"choose from: {string.Join(", ", symbols)}");
            }
            foreach (DimSymbol symbol in named)
            {
                if (size < symbol.Min || size > symbol.Max)
                {
                    throw new GraphException(
                        DiagnosticId.BadDimensionValue, $"{module.Name}: dimension '{name}' cannot be {size}",
                        why: $"it was declared as {symbol.Min}..{symbol.Max}");
                }
                values.Add(symbol, size);
            }
        }
        return module with { Entry = Substitute(module.Entry, values, module.Provenance) };
    }

    // Bodies nest only as deep as the reader of the graph allowed.
    private static Computation Substitute(
        Computation computation, IReadOnlyDictionary<DimSymbol, Dim> values, ProvenanceTable provenance) =>
        ComputationCloner.Rebuild(
            computation,
            node =>
            {
                Op op = node.Op;
                if (!op.Computations.IsEmpty)
                {
                    ImmutableArray<Computation> bodies = [.. op.Computations.Select(c => Substitute(c, values, provenance))];
                    op = op.WithComputations(bodies);
                }
                return op.SubstituteDims(values);
            },
            provenance);
}
