namespace Graphene;

/// <summary>Asks every op between a result and some values for its rule, apart from the graph, and collects the refusals.</summary>
internal static class GradientObstacles
{
    /// <summary>The refusals, in the order of the computation, then the values that no result depends on.</summary>
    public static IEnumerable<GradientObstacle> Find(GradientSources sources)
    {
        var active = new ActiveNodes(sources.Ys, sources.Xs.SelectMany(x => x));
        foreach (Node node in active.Ordered.Where(active.PassesOn))
        {
            if (Refusal(node, active) is { } refusal)
            {
                List<string> path = PathTo(sources.Ys, node, active);
                if (refusal.Where is { } inside && refusal.Where != path[^1] && node.Op.Computations.Length > 0)
                {
                    path.Add(inside); // an op in the body of the last one
                }
                yield return new GradientObstacle(refusal.Id, $"{refusal.What}: {refusal.Why}", path);
            }
        }
        HashSet<Node> reached = new(active.Ordered, ReferenceEqualityComparer.Instance);
        for (int i = 0; i < sources.Xs.Count; i++)
        {
            if (!sources.Xs[i].Any(reached.Contains) || !Reaches(sources, i))
            {
                GraphException error = sources.Unconnected(i);
                yield return new GradientObstacle(error.Id, $"{error.What}: {error.Why}", []);
            }
        }
    }

    private static bool Reaches(GradientSources sources, int index) =>
        sources.Ys.Any(new ActiveNodes(sources.Ys, sources.Xs[index]).Contains);

    private static GraphException? Refusal(Node node, ActiveNodes active)
    {
        if (node.Op is GetTupleElementOp)
        {
            return null;
        }
        if (node.Op.Gradient is { Kind: GradientKind.Refused, Note: var why })
        {
            return GradientErrors.NotDifferentiable(node, why!);
        }
        var b = new GraphBuilder();
        Node[] operands = [.. node.Operands.Where(o => o.Types.Length == 1).Select((o, i) => b.Parameter(i, o.Type))];
        Node copy = b.Add(node.Op, operands);
        Node?[] cotangents = [.. node.Types.Select(t => t.DType.IsFloating() ? b.Zeros(t) : null)];
        try
        {
            node.Op.VjpAll(new VjpSite(b, copy, [.. cotangents], [.. node.Operands.Take(operands.Length).Select(active.Passes)]));
            return null;
        }
        catch (GraphException e) when (e.Id == DiagnosticId.NotDifferentiable)
        {
            return e;
        }
    }

    // From a result down to a node, along the first operands that lead there.
    private static List<string> PathTo(IReadOnlyList<Node> ys, Node target, ActiveNodes active)
    {
        var leads = new HashSet<Node>(ReferenceEqualityComparer.Instance) { target };
        foreach (Node node in active.Ordered)
        {
            if (node.Operands.Any(leads.Contains))
            {
                leads.Add(node);
            }
        }
        var path = new List<string>();
        Node? at = ys.FirstOrDefault(leads.Contains);
        while (at is not null)
        {
            path.Add(GradientErrors.Describe(at));
            at = ReferenceEquals(at, target) ? null : at.Operands.FirstOrDefault(leads.Contains);
        }
        return path;
    }
}
