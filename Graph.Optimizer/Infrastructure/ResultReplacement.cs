using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>What a node with any number of results is replaced by.</summary>
/// <param name="Node">The node that runs in its place; null when nothing needs to run any more.</param>
/// <param name="Results">One value for each result of the old node.</param>
public sealed record ResultReplacement(Node? Node, IReadOnlyList<Node> Results)
{
    /// <summary>Rebuilds a computation, replacing nodes result by result.</summary>
    /// <param name="computation">What to rebuild.</param>
    /// <param name="provenance">Shared by old and new nodes.</param>
    /// <param name="replace">
    /// Gives the replacement of an old node from its new operands; null to copy the node. A node with effects must be replaced by
    /// a node.
    /// </param>
    /// <returns>The same computation when nothing was replaced.</returns>
    public static Computation Rebuild(
        Computation computation,
        ProvenanceTable provenance,
        Func<GraphBuilder, Node, ImmutableArray<Node>, ResultReplacement?> replace)
    {
        var b = new GraphBuilder(provenance);
        var map = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        var replaced = new Dictionary<Node, ResultReplacement>(ReferenceEqualityComparer.Instance);
        foreach (Node parameter in computation.Parameters)
        {
            map.Add(parameter, b.Parameter(((ParameterOp)parameter.Op).Number, parameter.Type));
        }
        foreach (Node old in computation.PostOrder().Where(n => n.Op is not ParameterOp))
        {
            if (old.Op is GetTupleElementOp element && replaced.TryGetValue(old.Operands[0], out ResultReplacement? whole))
            {
                map.Add(old, whole.Results[element.Index]);
            }
            else
            {
                ImmutableArray<Node> operands = [.. old.Operands.Select(ValueOf)];
                if (replace(b, old, operands) is { } replacement)
                {
                    replaced.Add(old, replacement);
                }
                else
                {
                    map.Add(old, b.Add(old.Op, operands));
                }
            }
            b.Provenance.Inherit(map.GetValueOrDefault(old) ?? replaced[old].Node ?? replaced[old].Results[0], old);
        }
        return replaced.Count == 0
            ? computation
            : b.Build(computation.Name, computation.Results.Select(ValueOf), computation.Effects.Select(EffectOf));

        Node ValueOf(Node old) => replaced.TryGetValue(old, out ResultReplacement? r) ? r.Results[0] : map[old];

        Node EffectOf(Node old) => !replaced.TryGetValue(old, out ResultReplacement? r) ? map[old]
            : r.Node ?? throw new CompilerBugException(computation.Name, $"{old}, which has effects, was replaced by nothing");
    }
}
