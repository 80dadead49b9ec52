using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Attention over queries, keys and values, and rotary position embedding.</summary>
internal static class Attention
{
    // What the fourth output shows, by the attribute qk_matmul_output_mode.
    private const long ShowsScaled = 0;
    private const long ShowsCapped = 1;
    private const long ShowsBiased = 2;

    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Attention", 23, Import),
        new("", "RotaryEmbedding", 23, c => c.Output(0, Rotary(c))),
        new("ai.onnx.preview", "FlexAttention", 1, Flex),
    ];

    // Q, K, V, attn_mask, past_key, past_value, nonpad_kv_seqlen -> Y, present_key, present_value, qk_matmul_output
    private static void Import(OperatorCall c)
    {
        GraphBuilder b = c.B;
        bool flat = c.Value(0).Rank == 3;
        Node q = flat ? AttentionParts.SplitHeads(c, c.Input(0), c.Int("q_num_heads")) : c.Input(0);
        Node k = flat ? AttentionParts.SplitHeads(c, c.Input(1), c.Int("kv_num_heads")) : c.Input(1);
        Node v = flat ? AttentionParts.SplitHeads(c, c.Input(2), c.Int("kv_num_heads")) : c.Input(2);
        if (q.Rank != 4 || k.Rank != 4 || v.Rank != 4)
        {
            throw c.Bad($"Attention of {q.Type}, {k.Type} and {v.Type}", "all have three or all have four dimensions");
        }
        Dim past = c.Has(4) ? c.Value(4).Shape[2] : 0;
        k = c.Optional(4) is { } pastKey ? b.Concatenate([pastKey, k], 2) : k;
        v = c.Optional(5) is { } pastValue ? b.Concatenate([pastValue, v], 2) : v;
        c.Output(1, k);
        c.Output(2, v);

        Node scaled = AttentionParts.Scaled(c, AttentionParts.Scores(c, q, k), q.Shape[3]);
        Node capped = SoftCapped(c, scaled);
        Node? bias = Bias(c, capped, past);
        Node biased = bias is null ? capped : b.Add(capped, bias);
        Node probabilities = b.Softmax(biased);
        if (bias is not null)
        {
            // A query that may look at nothing gives 0, not NaN.
            Node open = b.Greater(b.ReduceMax(bias, [3]), b.Splat(bias.DType, bias.Shape.Without([3]), double.NegativeInfinity));
            Node mask = b.BroadcastInDim(open, biased.Shape, [0, 1, 2]);
            probabilities = b.Select(mask, probabilities, b.Like(probabilities, 0));
        }
        Node shown = c.Int("qk_matmul_output_mode", ShowsScaled) switch
        {
            ShowsScaled => scaled,
            ShowsCapped => capped,
            ShowsBiased => biased,
            _ => probabilities,
        };
        c.Output(3, b.Convert(shown, q.DType));
        Node y = AttentionParts.Context(c, probabilities, v);
        c.Output(0, flat ? AttentionParts.JoinHeads(b, y) : y);
    }

    private static Node SoftCapped(OperatorCall c, Node scores)
    {
        double cap = c.Float("softcap", 0);
        return cap == 0 ? scores : c.B.Multiply(
            c.B.HyperbolicTangent(c.B.Divide(scores, c.B.Like(scores, cap))), c.B.Like(scores, cap));
    }

    // What is added to the scores: the mask, negative infinity for keys after the query (causal) and for padding.
    private static Node? Bias(OperatorCall c, Node scores, Dim past)
    {
        GraphBuilder b = c.B;
        Shape shape = scores.Shape;
        Node? bias = c.Has(3) ? Mask(c, scores) : null;
        Node never = b.Like(scores, double.NegativeInfinity);
        Node always = b.Like(scores, 0);
        var places = new TensorType(DType.I64, shape);
        Node? lengths = c.Optional(6) is { } given ? b.BroadcastInDim(b.Convert(given, DType.I64), shape, [0]) : null;
        if (c.Int("is_causal", 0) != 0)
        {
            // The last query stands at the last key, of the past or of what is not padding.
            Node offset = lengths is null || c.Has(4)
                ? DimNodes.Splat(b, past, DType.I64, shape)
                : b.Subtract(lengths, DimNodes.Splat(b, shape[2], DType.I64, shape));
            Node isLater = b.Less(b.Add(b.Iota(places, 2), offset), b.Iota(places, 3));
            bias = Sum(b, bias, b.Select(isLater, never, always));
        }
        if (lengths is not null)
        {
            bias = Sum(b, bias, b.Select(b.Less(b.Iota(places, 3), lengths), always, never));
        }
        return bias;
    }

    private static Node Sum(GraphBuilder b, Node? x, Node y) => x is null ? y : b.Add(x, y);

    // Truth values say which keys count; a mask over fewer keys hides the others.
    private static Node Mask(OperatorCall c, Node scores)
    {
        GraphBuilder b = c.B;
        Node mask = c.Input(3);
        Node bias = mask.DType == DType.Bool
            ? b.Select(
                mask, b.Splat(scores.DType, mask.Shape, 0), b.Splat(scores.DType, mask.Shape, double.NegativeInfinity))
            : b.Convert(mask, scores.DType);
        Dim missing = scores.Shape[3] - bias.Shape[bias.Rank - 1];
        if (missing != 0 && bias.Shape[bias.Rank - 1] != 1)
        {
            Dim[] none = [.. Enumerable.Repeat<Dim>(0, bias.Rank)];
            Dim[] high = [.. none];
            high[^1] = missing;
            bias = b.Pad(bias, b.Constant(bias.DType, double.NegativeInfinity), [.. none], [.. high]);
        }
        return b.BroadcastTo(bias, scores.Shape);
    }

    // The scores and the probabilities may be changed by subgraphs, which are imported in place.
    private static void Flex(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node q = c.Input(0);
        Node scores = AttentionParts.Scaled(c, AttentionParts.Scores(c, q, c.Input(1)), q.Shape[3]);
        Node changed = Apply(c, "score_mod", scores);
        Node probabilities = Apply(c, "prob_mod", b.Softmax(changed));
        c.Output(0, AttentionParts.Context(c, probabilities, c.Input(2)));
    }

    private static Node Apply(OperatorCall c, string attribute, Node x)
    {
        if (c.Attributes.Graph(attribute) is not { } graph)
        {
            return x;
        }
        // The subgraph's type decides whether it works on f16 or in f32.
        int wanted = graph.Input.FirstOrDefault()?.Type?.TensorType?.ElemType ?? 0;
        DType type = wanted == 0 ? x.DType : OnnxTypes.Storage((OnnxDataType)wanted, c.Where);
        Node given = c.B.Convert(x, type);
        OnnxValue value = OnnxValue.FromNode(c.Region, given, OnnxTypes.Of(type));
        IReadOnlyList<OnnxValue> results = c.Importer.ImportSubgraph(graph, c.Region, c, [value]);
        return results is [var result] ? c.B.Convert(c.Region.NodeOf(result), x.DType) : throw c.Bad(
            $"FlexAttention has a {attribute} with {results.Count} results", "it takes and gives one tensor");
    }

    // Pairs of features are rotated by an angle per position: (a, b) -> (a cos - b sin, a sin + b cos).
    private static Node Rotary(OperatorCall c)
    {
        GraphBuilder b = c.B;
        bool flat = c.Value(0).Rank == 3;
        Node x = flat ? AttentionParts.SplitHeads(c, c.Input(0), c.Int("num_heads")) : c.Input(0);
        Dim size = x.Shape[3];
        Dim rotated = c.Int("rotary_embedding_dim", 0) is > 0 and var part ? part : size;
        Dim half = Dim.FloorDiv(rotated, 2);
        Node turning = b.SliceDimension(x, 3, 0, rotated);
        Node cos = Angles(c, 1, turning, half);
        Node sin = Angles(c, 2, turning, half);
        bool interleaved = c.Int("interleaved", 0) != 0;
        // [.., half, 2] when pairs are neighbours, [.., 2, half] when halves are paired.
        int pairAxis = interleaved ? 4 : 3;
        Shape pairs = interleaved
            ? [x.Shape[0], x.Shape[1], x.Shape[2], half, 2]
            : [x.Shape[0], x.Shape[1], x.Shape[2], 2, half];
        Node paired = b.Reshape(turning, pairs);
        Node first = b.Squeeze(b.SliceDimension(paired, pairAxis, 0, 1), pairAxis);
        Node second = b.Squeeze(b.SliceDimension(paired, pairAxis, 1, 2), pairAxis);
        Node real = b.Subtract(b.Multiply(cos, first), b.Multiply(sin, second));
        Node imaginary = b.Add(b.Multiply(sin, first), b.Multiply(cos, second));
        Node joined = b.Concatenate([b.Unsqueeze(real, pairAxis), b.Unsqueeze(imaginary, pairAxis)], pairAxis);
        Node result = b.Reshape(joined, turning.Shape);
        if (rotated != size)
        {
            result = b.Concatenate([result, b.SliceDimension(x, 3, rotated, size)], 3);
        }
        return flat ? AttentionParts.JoinHeads(b, result) : result;
    }

    // Without positions the cache is per batch and sequence already: [batch, sequence, half].
    private static Node Angles(OperatorCall c, int input, Node x, Dim half)
    {
        GraphBuilder b = c.B;
        Node cache = c.Input(input);
        Node rows = c.Optional(3) is { } positions ? b.Take(cache, positions, 0) : cache;
        if (rows.Rank != 3)
        {
            throw c.Bad($"RotaryEmbedding has the cache {cache.Type}", "with positions it has two dimensions, else three");
        }
        return b.BroadcastInDim(b.SliceDimension(rows, 2, 0, half), [x.Shape[0], x.Shape[1], x.Shape[2], half], [0, 2, 3]);
    }
}
