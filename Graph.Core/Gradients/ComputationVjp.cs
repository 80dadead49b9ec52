using System.Collections.Immutable;

namespace Graphene;

/// <summary>Reverse mode through a computation, as a computation: parameters and cotangents of results in, cotangents out.</summary>
/// <remarks>It runs the original again, without its effects, for the values that derivatives need.</remarks>
internal sealed class ComputationVjp
{
    private readonly GraphBuilder _b;
    private readonly Computation _original;
    private readonly ImmutableArray<Node> _results;
    private readonly Node?[] _gradients;

    /// <summary>Differentiates.</summary>
    /// <param name="original">The computation.</param>
    /// <param name="given">The results that have cotangents; each becomes a parameter behind the original ones.</param>
    /// <param name="wanted">The parameters whose cotangents are asked for.</param>
    /// <param name="provenance">The table of the outer builder.</param>
    public ComputationVjp(
        Computation original, IReadOnlyList<bool> given, IReadOnlyList<bool> wanted, ProvenanceTable provenance)
    {
        _original = EffectFree.Of(original, provenance);
        _b = new GraphBuilder(provenance);
        Node[] parameters = [.. _original.Parameters.Select((p, i) => _b.Parameter(i, p.Type))];
        int next = parameters.Length;
        Node?[] cotangents = [.. _original.Results.Select((r, i) => given[i] ? _b.Parameter(next++, r.Type) : null)];
        _results = ComputationCloner.Inline(_original, _b, parameters).Results;
        int[] asked = [.. Enumerable.Range(0, parameters.Length).Where(i => wanted[i] && parameters[i].DType.IsFloating())];
        Node?[] found = ReverseMode.Run(_b, _results, cotangents, [.. asked.Select(i => parameters[i])]);
        _gradients = new Node?[parameters.Length];
        for (int i = 0; i < asked.Length; i++)
        {
            _gradients[asked[i]] = found[i];
        }
    }

    /// <summary>True for the parameters that have a cotangent other than zero.</summary>
    public bool[] Found => [.. _gradients.Select(g => g is not null)];

    /// <summary>The computation.</summary>
    /// <param name="returned">The parameters whose cotangents it returns, in order; zeros for those that have none.</param>
    public Computation Close(IReadOnlyList<bool> returned) => _b.Build(
        $"{_original.Name}_vjp",
        Enumerable.Range(0, _gradients.Length).Where(i => returned[i])
            .Select(i => _gradients[i] ?? _b.Zeros(_original.Parameters[i].Type)));

    /// <summary>The computation over the original's results besides, which it takes as further parameters.</summary>
    /// <param name="returned">The parameters whose cotangents it returns, in order.</param>
    public Computation CloseOverResults(IReadOnlyList<bool> returned)
    {
        Computation plain = Close(returned);
        var b = new GraphBuilder(_b.Provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node parameter in plain.Parameters)
        {
            copies.Add(parameter, b.Parameter(copies.Count, parameter.Type));
        }
        int next = copies.Count;
        foreach (Node result in _results)
        {
            copies.TryAdd(result, b.Parameter(next++, result.Type));
        }
        return b.Build(plain.Name, [.. plain.Results.Select(r => ComputationCloner.Clone(r, b, copies))]);
    }

    /// <summary>Differentiates and applies at once, for ops that are nothing but a computation.</summary>
    /// <param name="site">The node.</param>
    /// <param name="computation">What it computes of its operands.</param>
    /// <param name="arguments">What stands for the operands.</param>
    /// <param name="cotangents">One for each result.</param>
    /// <param name="results">The results, when they are to be used rather than computed again.</param>
    public static Node?[] Apply(
        VjpSite site,
        Computation computation,
        IReadOnlyList<Node> arguments,
        IReadOnlyList<Node?> cotangents,
        IReadOnlyList<Node>? results = null)
    {
        bool[] wanted = [.. Enumerable.Range(0, arguments.Count).Select(site.Needs)];
        var vjp = new ComputationVjp(computation, [.. cotangents.Select(c => c is not null)], wanted, site.Builder.Provenance);
        bool[] found = vjp.Found;
        Computation closed = results is null ? vjp.Close(found) : vjp.CloseOverResults(found);
        ImmutableArray<Node> applied = ComputationCloner.Inline(
            closed, site.Builder, [.. arguments, .. cotangents.OfType<Node>(), .. results ?? []]).Results;
        int next = 0;
        return [.. found.Select(f => f ? applied[next++] : null)];
    }
}
