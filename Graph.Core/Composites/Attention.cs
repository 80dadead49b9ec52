namespace Graphene;

/// <summary>How attention weighs keys.</summary>
public sealed record AttentionOptions
{
    /// <summary>The factor of the scores; 1 / sqrt(head size) when null.</summary>
    public double? Scale { get; init; }

    /// <summary>True when a query sees only keys at its own place and before.</summary>
    public bool Causal { get; init; }

    /// <summary>For causal attention: the place of the first query among the keys, for example the length of a cache.</summary>
    public Dim QueryOffset { get; init; } = 0;

    /// <summary>Bounds the scores to (-SoftCap, SoftCap) by a scaled tanh; null for no bound.</summary>
    public double? SoftCap { get; init; }
}

/// <summary>Scaled dot-product attention.</summary>
public static class AttentionComposite
{
    /// <summary><c>softmax(q k^T * scale + mask) v</c>, head by head.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="query">[batch, heads, queries, size].</param>
    /// <param name="key">[batch, key heads, keys, size]; key heads divide heads, and consecutive heads share one.</param>
    /// <param name="value">[batch, key heads, keys, value size].</param>
    /// <param name="mask">
    /// Broadcasts to [batch, heads, queries, keys]: a bool that is true where a key is seen, or a number added to the score.
    /// </param>
    /// <param name="options">Scale, causality, bound.</param>
    /// <returns>[batch, heads, queries, value size]. A query that sees no key gives NaN.</returns>
    public static Node Attention(
        this GraphBuilder b, Node query, Node key, Node value, Node? mask = null, AttentionOptions? options = null)
    {
        OpSite site = b.Site("attention", query, key, value);
        site.Require(
            query.Rank == 4 && key.Rank == 4 && value.Rank == 4, DiagnosticId.RankMismatch,
            $"query, key and value must be [batch, heads, positions, size], not {query.Type}, {key.Type}, {value.Type}");
        Dim group = 0;
        site.Require(
            Dim.TryDivideExact(query.Shape[1], key.Shape[1], out group), DiagnosticId.BadAttribute,
            $"{query.Shape[1]} heads cannot share {key.Shape[1]} key heads");
        bool grouped = group != 1;
        Node scores = Scores(b, query, key, mask, options ?? new AttentionOptions(), grouped, group);
        Node weights = b.Softmax(scores, -1);
        if (!grouped)
        {
            return b.DotGeneral(weights, value, [0, 1], [0, 1], [3], [2]);
        }
        Node result = b.DotGeneral(
            Regroup(b, weights, key.Shape[1], group), value, [0, 1], [0, 1], [4], [2]);
        return b.Reshape(result, [query.Shape[0], query.Shape[1], query.Shape[2], value.Shape[3]]);
    }

    private static Node Scores(
        GraphBuilder b, Node query, Node key, Node? mask, AttentionOptions options, bool grouped, Dim group)
    {
        Node scores = grouped
            ? b.DotGeneral(Regroup(b, query, key.Shape[1], group), key, [0, 1], [0, 1], [4], [3])
            : b.DotGeneral(query, key, [0, 1], [0, 1], [3], [3]);
        scores = b.Reshape(scores, [query.Shape[0], query.Shape[1], query.Shape[2], key.Shape[2]]);
        double scale = options.Scale ?? 1 / Math.Sqrt(b.Site("attention", query).Static(query.Shape[3], "the head size"));
        scores = b.Multiply(scores, b.Like(scores, scale));
        if (options.SoftCap is { } cap)
        {
            scores = b.Multiply(
                b.HyperbolicTangent(b.Divide(scores, b.Like(scores, cap))), b.Like(scores, cap));
        }
        if (mask is not null)
        {
            Node spread = b.BroadcastTo(mask, scores.Shape);
            scores = mask.DType == DType.Bool
                ? b.Select(spread, scores, b.Like(scores, double.NegativeInfinity))
                : b.Add(scores, spread);
        }
        return options.Causal ? b.CausalMask(scores, options.QueryOffset) : scores;
    }

    /// <summary>Sets scores of keys behind the query's own place to negative infinity.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="scores">[.., queries, keys].</param>
    /// <param name="offset">The place of the first query among the keys.</param>
    public static Node CausalMask(this GraphBuilder b, Node scores, Dim offset = default)
    {
        var square = new TensorType(DType.I64, [scores.Shape[^2], scores.Shape[^1]]);
        Node row = b.Iota(square, 0);
        Node place = offset == 0 ? row : b.Add(row, b.BroadcastTo(b.DimValue(offset), square.Shape));
        Node seen = b.LessOrEqual(b.Iota(square, 1), place);
        return b.Select(b.BroadcastTo(seen, scores.Shape), scores, b.Like(scores, double.NegativeInfinity));
    }

    // [batch, heads, positions, size] to [batch, key heads, group, positions, size]
    private static Node Regroup(GraphBuilder b, Node x, Dim keyHeads, Dim group) =>
        b.Reshape(x, [x.Shape[0], keyHeads, group, x.Shape[2], x.Shape[3]]);
}
