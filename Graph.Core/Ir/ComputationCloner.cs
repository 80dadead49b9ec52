using System.Collections.Immutable;

namespace Graphene;

/// <summary>Copies nodes from one builder into another. The copy inherits the provenance of the original.</summary>
public static class ComputationCloner
{
    /// <summary>Copies a node and everything it needs.</summary>
    /// <param name="node">The node to copy.</param>
    /// <param name="b">The builder that owns the copies.</param>
    /// <param name="copies">
    /// The copies made so far, by original; grows. Seed it to put other values in the place of nodes, for example arguments
    /// in the place of parameters (inlining). A parameter without an entry becomes the same parameter of <paramref name="b"/>.
    /// </param>
    /// <param name="source">The table that knows the originals' provenance; that of <paramref name="b"/> by default.</param>
    /// <returns>The copy, or the seeded value.</returns>
    public static Node Clone(Node node, GraphBuilder b, Dictionary<Node, Node> copies, ProvenanceTable? source = null)
    {
        var stack = new Stack<(Node Node, int Next)>();
        stack.Push((node, 0));
        while (stack.TryPop(out (Node Node, int Next) top))
        {
            if (copies.ContainsKey(top.Node))
            {
                continue;
            }
            int next = top.Next;
            while (next < top.Node.Operands.Length && copies.ContainsKey(top.Node.Operands[next]))
            {
                next++;
            }
            if (next < top.Node.Operands.Length)
            {
                stack.Push((top.Node, next + 1));
                stack.Push((top.Node.Operands[next], 0));
                continue;
            }
            copies.Add(top.Node, CloneOne(top.Node, b, top.Node.Op, copies, source ?? b.Provenance));
        }
        return copies[node];
    }

    /// <summary>Copies the body of a computation with values in the place of its parameters, effects included.</summary>
    /// <param name="computation">What to copy.</param>
    /// <param name="b">The builder that owns the copies.</param>
    /// <param name="arguments">One value of <paramref name="b"/> per parameter.</param>
    /// <param name="source">The table that knows the originals' provenance; that of <paramref name="b"/> by default.</param>
    /// <returns>The copies of the results, and of the effects in their order.</returns>
    public static (ImmutableArray<Node> Results, ImmutableArray<Node> Effects) Inline(
        Computation computation, GraphBuilder b, IReadOnlyList<Node> arguments, ProvenanceTable? source = null)
    {
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < computation.Parameters.Length; i++)
        {
            copies.Add(computation.Parameters[i], arguments[i]);
        }
        ImmutableArray<Node> effects = [.. computation.Effects.Select(n => Clone(n, b, copies, source))];
        return ([.. computation.Results.Select(n => Clone(n, b, copies, source))], effects);
    }

    /// <summary>Rebuilds a computation node by node, replacing ops on the way; types are inferred anew.</summary>
    /// <param name="computation">What to copy.</param>
    /// <param name="replaceOp">Gives the op to put in a node's place, for example with other attributes.</param>
    /// <param name="provenance">Shared by original and copy.</param>
    public static Computation Rebuild(Computation computation, Func<Node, Op> replaceOp, ProvenanceTable? provenance = null)
    {
        var b = new GraphBuilder(provenance);
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in computation.PostOrder())
        {
            copies.Add(node, CloneOne(node, b, replaceOp(node), copies, b.Provenance));
        }
        return b.Build(
            computation.Name, computation.Results.Select(n => copies[n]), computation.Effects.Select(n => copies[n]));
    }

    private static Node CloneOne(Node node, GraphBuilder b, Op op, Dictionary<Node, Node> copies, ProvenanceTable source)
    {
        Node copy = op is ParameterOp p
            ? b.Parameter(p.Number, p.Type)
            : b.Add(op, node.Operands.Select(o => copies[o]).ToImmutableArray());
        foreach (Provenance origin in source[node])
        {
            b.Provenance.Add(copy, origin);
        }
        return copy;
    }
}
