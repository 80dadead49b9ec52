using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>Cuts a module down to what some of its outputs need.</summary>
internal static class ModulePruner
{
    /// <summary>The module whose outputs are the given ones, in that order, and whose inputs are those that matter to
    /// them.</summary>
    /// <param name="module">The whole module.</param>
    /// <param name="outputs">Numbers of outputs, each at most once.</param>
    /// <remarks>Effects stay, in their order, with all that they need: nothing tells which outputs they were written
    /// for.</remarks>
    public static Module Select(Module module, ImmutableArray<int> outputs)
    {
        Computation entry = module.Entry;
        Node[] results = [.. outputs.Select(o => entry.Results[o])];
        var needed = new HashSet<Node>(
            Traversal.PostOrder([.. entry.Effects, .. results]), ReferenceEqualityComparer.Instance);
        int[] inputs = NeededInputs(entry, needed);
        bool isWhole = inputs.Length == entry.Parameters.Length
            && outputs.SequenceEqual(Enumerable.Range(0, entry.Results.Length));
        if (isWhole)
        {
            return module;
        }
        var b = new GraphBuilder(module.Provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < inputs.Length; i++)
        {
            copies.Add(entry.Parameters[inputs[i]], b.Parameter(i, entry.Parameters[inputs[i]].Type));
        }
        Node[] effects = [.. entry.Effects.Select(n => ComputationCloner.Clone(n, b, copies))];
        Computation pruned = b.Build(entry.Name, results.Select(n => ComputationCloner.Clone(n, b, copies)), effects);
        return module with
        {
            Entry = pruned,
            InputNames = [.. inputs.Select(i => module.InputNames[i])],
            OutputNames = [.. outputs.Select(o => module.OutputNames[o])],
        };
    }

    // A symbol may be used by what is kept although the only input that tells its value is not: then that input stays.
    private static int[] NeededInputs(Computation entry, HashSet<Node> needed)
    {
        int[] all = [.. Enumerable.Range(0, entry.Parameters.Length)];
        var kept = new SortedSet<int>(all.Where(i => needed.Contains(entry.Parameters[i])));
        IEnumerable<Dim> dims = needed.SelectMany(n => n.Types).SelectMany(t => t.Shape);
        HashSet<DimSymbol> used = [.. dims.SelectMany(d => d.Symbols)];
        foreach (DimSymbol symbol in used)
        {
            bool HasSource(int input) =>
                SymbolSource.Find(symbol, [new InputSpec("", entry.Parameters[input].Type)]) is not null;
            if (!kept.Any(HasSource) && Array.FindIndex(all, HasSource) is >= 0 and var source)
            {
                kept.Add(source);
            }
        }
        return [.. kept];
    }
}
