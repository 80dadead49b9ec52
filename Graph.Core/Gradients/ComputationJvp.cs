using System.Collections.Immutable;

namespace Graphene;

/// <summary>Forward mode through a computation, as a computation: parameters and their tangents in, results' tangents out.</summary>
internal sealed class ComputationJvp
{
    private readonly GraphBuilder _b;
    private readonly Computation _original;
    private readonly ImmutableArray<Node> _results;
    private readonly Node?[] _tangents;

    /// <summary>Differentiates.</summary>
    /// <param name="original">The computation.</param>
    /// <param name="given">The parameters that have tangents; each becomes a parameter behind the original ones.</param>
    /// <param name="provenance">The table of the outer builder.</param>
    public ComputationJvp(Computation original, IReadOnlyList<bool> given, ProvenanceTable provenance)
    {
        _original = EffectFree.Of(original, provenance);
        _b = new GraphBuilder(provenance);
        Node[] parameters = [.. _original.Parameters.Select((p, i) => _b.Parameter(i, p.Type))];
        int next = parameters.Length;
        Node?[] tangents = [.. parameters.Select((p, i) => given[i] ? _b.Parameter(next++, p.Type) : null)];
        _results = ComputationCloner.Inline(_original, _b, parameters).Results;
        _tangents = ForwardMode.Run(_b, _results, parameters, tangents);
    }

    /// <summary>True for the results that have a tangent other than zero.</summary>
    public bool[] Found => [.. _tangents.Select(t => t is not null)];

    /// <summary>The computation.</summary>
    /// <param name="returned">The results whose tangents it returns, in order; zeros for those that have none.</param>
    /// <param name="withResults">True to return the original's results before them.</param>
    public Computation Close(IReadOnlyList<bool> returned, bool withResults = false) => _b.Build(
        $"{_original.Name}_jvp",
        (withResults ? _results : []).Concat(Enumerable.Range(0, _tangents.Length).Where(i => returned[i])
            .Select(i => _tangents[i] ?? _b.Zeros(_original.Results[i].Type))));

    /// <summary>Differentiates and applies at once, for ops that are nothing but a computation.</summary>
    /// <param name="site">The node.</param>
    /// <param name="computation">What it computes of its operands.</param>
    public static Node?[] Apply(JvpSite site, Computation computation)
    {
        var jvp = new ComputationJvp(computation, [.. site.Tangents.Select(t => t is not null)], site.Builder.Provenance);
        bool[] found = jvp.Found;
        ImmutableArray<Node> results = ComputationCloner.Inline(
            jvp.Close(found), site.Builder, [.. site.Node.Operands, .. site.Tangents.OfType<Node>()]).Results;
        int next = 0;
        return [.. found.Select(f => f ? results[next++] : null)];
    }
}
