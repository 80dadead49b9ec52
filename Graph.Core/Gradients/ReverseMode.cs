namespace Graphene;

/// <summary>Walks a computation backwards and asks each op for the cotangents of its operands; knows no op by name.</summary>
/// <remarks>
/// <code>
/// forward      x -> f -> u -> g -> y
/// backward     dx &lt;- f.Vjp &lt;- du &lt;- g.Vjp &lt;- dy
/// </code>
/// A cotangent that is zero is null, so what does not contribute costs nothing. Nodes between the values and the results only are
/// visited. Rules build differentiable ops only, so the result can be differentiated again, in either direction.
/// </remarks>
public static class ReverseMode
{
    /// <summary>The vector-Jacobian products: for each of <paramref name="xs"/> the sum of cotangents times derivatives.</summary>
    /// <param name="b">The builder that owns all nodes.</param>
    /// <param name="ys">The differentiated values.</param>
    /// <param name="cotangents">One for each of <paramref name="ys"/>, of its type; null for zero.</param>
    /// <param name="xs">The values to differentiate by; any nodes with one result.</param>
    /// <param name="stops">Values that count as constants; null for none.</param>
    /// <returns>One for each of <paramref name="xs"/>, of its type; null when there is no path, or only one of derivative 0.</returns>
    /// <exception cref="GraphException">GR1601: a node on the way has no rule.</exception>
    public static Node?[] Run(
        GraphBuilder b,
        IReadOnlyList<Node> ys,
        IReadOnlyList<Node?> cotangents,
        IReadOnlyList<Node> xs,
        IReadOnlySet<Node>? stops = null)
    {
        var active = new ActiveNodes(ys, xs, stops);
        var sums = new Dictionary<Node, Node?[]>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < ys.Count; i++)
        {
            if (active.Contains(ys[i]))
            {
                Add(b, sums, ys[i], 0, cotangents[i]);
            }
        }
        Provenance? origin = b.CurrentOrigin;
        foreach (Node node in active.Ordered.Reverse())
        {
            if (sums.TryGetValue(node, out Node?[]? sum) && active.PassesOn(node))
            {
                b.CurrentOrigin = OriginOf(node) ?? origin;
                Propagate(b, node, sum, active, sums);
            }
        }
        b.CurrentOrigin = origin;
        return [.. xs.Select(x => sums.TryGetValue(x, out Node?[]? sum) ? sum[0] : null)];
    }

    private static void Propagate(
        GraphBuilder b, Node node, Node?[] cotangents, ActiveNodes active, Dictionary<Node, Node?[]> sums)
    {
        if (node.Op is GetTupleElementOp element)
        {
            Add(b, sums, node.Operands[0], element.Index, cotangents[0]);
            return;
        }
        if (node.Op.Gradient is { Kind: GradientKind.Refused, Note: var why })
        {
            throw GradientErrors.NotDifferentiable(node, why!);
        }
        var site = new VjpSite(b, node, [.. cotangents], [.. node.Operands.Select(active.Passes)]);
        Node?[] gradients = node.Op.VjpAll(site);
        for (int i = 0; i < gradients.Length; i++)
        {
            if (site.Needs(i))
            {
                Add(b, sums, node.Operands[i], 0, gradients[i]);
            }
        }
    }

    private static void Add(GraphBuilder b, Dictionary<Node, Node?[]> sums, Node node, int result, Node? cotangent)
    {
        TensorType type = node.Types[result];
        if (cotangent is null || !type.DType.IsFloating())
        {
            return;
        }
        if (cotangent.DType != type.DType || cotangent.Rank != type.Rank)
        {
            throw new CompilerBugException("gradients", $"a cotangent of {node} is {cotangent.Type}");
        }
        if (!sums.TryGetValue(node, out Node?[]? sum))
        {
            sums.Add(node, sum = new Node?[node.Types.Length]);
        }
        cotangent = b.WithShapeOf(cotangent, type);
        sum[result] = sum[result] is { } present ? b.Sum(present, cotangent) : cotangent;
    }

    private static Provenance? OriginOf(Node node) => node.Origins is [var origin, ..]
        ? origin with { Scope = origin.Scope is null ? "gradients" : $"gradients/{origin.Scope}" }
        : null;
}
