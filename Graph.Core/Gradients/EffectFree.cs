using System.Collections.Immutable;

namespace Graphene;

/// <summary>Takes the effects out of computations that gradients run a second time: what is printed is printed once.</summary>
internal static class EffectFree
{
    /// <summary>The computation without effects, nested ones included.</summary>
    public static Computation Of(Computation computation, ProvenanceTable provenance)
    {
        if (!HasEffects(computation))
        {
            return computation;
        }
        var b = new GraphBuilder(provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node parameter in computation.Parameters)
        {
            copies.Add(parameter, b.Parameter(copies.Count, parameter.Type));
        }
        foreach (Node node in Traversal.PostOrder(computation.Results))
        {
            if (!copies.ContainsKey(node))
            {
                ImmutableArray<Computation> nested = [.. node.Op.Computations.Select(c => Of(c, provenance))];
                Op op = nested.IsEmpty ? node.Op : node.Op.WithComputations(nested);
                Node copy = b.Add(op, [.. node.Operands.Select(o => copies[o])]);
                provenance.Inherit(copy, node);
                copies.Add(node, copy);
            }
        }
        return b.Build(computation.Name, computation.Results.Select(r => copies[r]));
    }

    private static bool HasEffects(Computation computation) =>
        !computation.Effects.IsEmpty || computation.PostOrder().Any(n => n.Op.Computations.Any(HasEffects));
}
