namespace Graphene;

/// <content>Cuts out what a run needs.</content>
public sealed partial class Graph
{
    /// <summary>The IR of what some fetches need; see <see cref="Lower"/>.</summary>
    public Module ToModule(
        IReadOnlyList<Tensor> fetches, IReadOnlyList<Tensor>? feeds = null, IReadOnlyList<Operation>? targets = null) =>
        Lower(fetches, feeds, targets).Module;

    /// <summary>The IR of what some fetches need, with the places of feeds and variables in it.</summary>
    /// <param name="fetches">The tensors to compute.</param>
    /// <param name="feeds">
    /// The tensors that are given, any tensor of the graph: what only computes a fed tensor is left out. Null for all placeholders
    /// that the fetches need and that have no default, in the order of creation.
    /// </param>
    /// <param name="targets">Operations to do besides.</param>
    /// <exception cref="GraphException">GR1504: the fetches need a placeholder that is not fed and has no default.</exception>
    public LoweredGraph Lower(
        IReadOnlyList<Tensor> fetches, IReadOnlyList<Tensor>? feeds = null, IReadOnlyList<Operation>? targets = null)
    {
        lock (Building)
        {
            return LowerAlone(fetches, feeds, targets);
        }
    }

    private LoweredGraph LowerAlone(
        IReadOnlyList<Tensor> fetches, IReadOnlyList<Tensor>? feeds, IReadOnlyList<Operation>? targets)
    {
        Node[] roots = [.. fetches.Select(_root.Import), .. (targets ?? []).SelectMany(t => t.Nodes)];
        var fed = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        fed.UnionWith((feeds ?? []).Select(_root.Import));
        List<Node> needed = Needed(roots, fed);
        feeds ??= [.. needed
            .Where(n => n.Op is PlaceholderOp { Default: null })
            .Select(n => Find(((PlaceholderOp)n.Op).Key)!)];
        return new GraphLowering(this, _root.Builder.Provenance).Lower(fetches, feeds, needed, n => _root.Import(n));
    }

    // Everything the roots need, in the order in which it was built: operands stand before users, effects in their order.
    private List<Node> Needed(Node[] roots, HashSet<Node> fed)
    {
        var seen = new HashSet<Node>(roots, ReferenceEqualityComparer.Instance);
        var stack = new Stack<Node>(seen);
        while (stack.TryPop(out Node? node))
        {
            if (fed.Contains(node))
            {
                continue;
            }
            IEnumerable<Node> attached = _attached.TryGetValue(node, out List<Node>? list) ? list : [];
            foreach (Node next in node.Operands.Concat(attached))
            {
                if (seen.Add(next))
                {
                    stack.Push(next);
                }
            }
        }
        return [.. seen.OrderBy(n => n.Id)];
    }
}
