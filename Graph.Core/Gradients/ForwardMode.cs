namespace Graphene;

/// <summary>Walks a computation forwards and asks each op for the tangents of its results; knows no op by name.</summary>
/// <remarks>One walk gives the derivatives of everything along one direction; see <see cref="ReverseMode"/>.</remarks>
public static class ForwardMode
{
    /// <summary>The Jacobian-vector products: for each of <paramref name="ys"/> its derivative along the tangents.</summary>
    /// <param name="b">The builder that owns all nodes.</param>
    /// <param name="ys">The differentiated values.</param>
    /// <param name="xs">The values to differentiate by; any nodes with one result.</param>
    /// <param name="tangents">One for each of <paramref name="xs"/>, of its type; null for zero.</param>
    /// <param name="stops">Values that count as constants; null for none.</param>
    /// <returns>One for each of <paramref name="ys"/>, of its type; null for zero.</returns>
    /// <exception cref="GraphException">GR1601: a node on the way has no rule.</exception>
    public static Node?[] Run(
        GraphBuilder b,
        IReadOnlyList<Node> ys,
        IReadOnlyList<Node> xs,
        IReadOnlyList<Node?> tangents,
        IReadOnlySet<Node>? stops = null)
    {
        var active = new ActiveNodes(ys, xs, stops);
        var given = new Dictionary<Node, Node?>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < xs.Count; i++)
        {
            given[xs[i]] = tangents[i];
        }
        var known = new Dictionary<Node, Node?[]>(ReferenceEqualityComparer.Instance);
        foreach (Node node in active.Ordered)
        {
            Node?[] results = given.TryGetValue(node, out Node? tangent) ? [tangent] : Derive(b, node, active, known);
            if (results.Any(r => r is not null))
            {
                known.Add(node, results);
            }
        }
        return [.. ys.Select(y => known.TryGetValue(y, out Node?[]? found) ? found[0] : null)];
    }

    private static Node?[] Derive(GraphBuilder b, Node node, ActiveNodes active, Dictionary<Node, Node?[]> known)
    {
        if (node.Op is GetTupleElementOp element)
        {
            return [known.TryGetValue(node.Operands[0], out Node?[]? all) ? all[element.Index] : null];
        }
        Node?[] tangents =
            [.. node.Operands.Select(o => active.Passes(o) && known.TryGetValue(o, out Node?[]? t) ? t[0] : null)];
        if (Array.TrueForAll(tangents, t => t is null))
        {
            return new Node?[node.Types.Length];
        }
        if (node.Op.Gradient is { Kind: GradientKind.Refused, Note: var why })
        {
            throw GradientErrors.NotDifferentiable(node, why!);
        }
        Node?[] results = node.Op.JvpAll(new JvpSite(b, node, [.. tangents]));
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = results[i] is { } result ? b.WithShapeOf(result, node.Types[i]) : null;
        }
        return results;
    }
}
