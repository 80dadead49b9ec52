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
        return module with { Entry = Rebuild(module.Entry, values, op => op, module.Provenance) };
    }

    /// <summary>A computation once more: with values for symbols, and host calls that are others than the original's.</summary>
    /// <param name="computation">The original.</param>
    /// <param name="values">Values of symbols; those without one stay.</param>
    /// <param name="nextOrdinal">Gives the ordinals of host calls.</param>
    /// <param name="provenance">Shared by original and copy.</param>
    internal static Computation Renew(
        Computation computation, IReadOnlyDictionary<DimSymbol, Dim> values, Func<long> nextOrdinal, ProvenanceTable provenance) =>
        values.Count == 0 && !CallsHost(computation)
            ? computation
            : Rebuild(
                computation, values, op => op is HostCallOp call ? call with { Ordinal = nextOrdinal() } : op, provenance);

    private static bool CallsHost(Computation computation) => computation.PostOrder().Any(
        node => node.Op is HostCallOp || node.Op.Computations.Any(CallsHost));

    // Bodies nest only as deep as the reader of the graph allowed.
    private static Computation Rebuild(
        Computation computation, IReadOnlyDictionary<DimSymbol, Dim> values, Func<Op, Op> replace, ProvenanceTable provenance) =>
        ComputationCloner.Rebuild(
            computation,
            node =>
            {
                Op op = replace(node.Op);
                if (!op.Computations.IsEmpty)
                {
                    ImmutableArray<Computation> bodies = [.. op.Computations.Select(c => Rebuild(c, values, replace, provenance))];
                    op = op.WithComputations(bodies);
                }
                return op.SubstituteDims(values);
            },
            provenance);
}
