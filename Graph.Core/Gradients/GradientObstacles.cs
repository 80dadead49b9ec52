namespace Graphene;

/// <summary>Asks every op between results and some values for its rule, apart from the graph, and collects the refusals.</summary>
public static class GradientObstacles
{
    /// <summary>The refusals, in the order of the computation.</summary>
    /// <param name="ys">What would be differentiated.</param>
    /// <param name="xs">What it would be differentiated by.</param>
    public static IReadOnlyList<GradientObstacle> Find(IReadOnlyList<Node> ys, IReadOnlyList<Node> xs)
    {
        var active = new ActiveNodes(ys, xs);
        var found = new List<GradientObstacle>();
        foreach (Node node in active.Ordered.Where(active.PassesOn))
        {
            if (Refusal(node, active) is { } refusal)
            {
                List<string> path = PathTo(ys, node, active);
                if (refusal.Where is { } inside && inside != path[^1] && node.Op.Computations.Length > 0)
                {
                    path.Add(inside); // an op in the body of the last one
                }
                found.Add(new GradientObstacle(refusal.Id, $"{refusal.What}: {refusal.Why}", path));
            }
        }
        return found;
    }

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
