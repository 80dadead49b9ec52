using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>The steps that the attention operators share. Queries may have more heads than keys and values: groups of them.</summary>
internal static class AttentionParts
{
    /// <summary>[batch, sequence, heads * size] as [batch, heads, sequence, size].</summary>
    public static Node SplitHeads(OperatorCall c, Node x, long heads)
    {
        if (x.Rank != 3 || heads < 1 || !Dim.TryDivideExact(x.Shape[2], heads, out Dim size))
        {
            throw c.Bad($"{c.Proto.OpType} splits {x.Type} into {heads} heads", "the last dimension must be a multiple of the heads");
        }
        return c.B.Transpose(c.B.Reshape(x, [x.Shape[0], x.Shape[1], heads, size]), [0, 2, 1, 3]);
    }

    /// <summary>[batch, heads, sequence, size] as [batch, sequence, heads * size].</summary>
    public static Node JoinHeads(GraphBuilder b, Node x)
    {
        Node moved = b.Transpose(x, [0, 2, 1, 3]);
        return b.Reshape(moved, [moved.Shape[0], moved.Shape[1], moved.Shape[2] * moved.Shape[3]]);
    }

    /// <summary>Q . K^T for each head, in f32 at least: [batch, heads, queries, keys].</summary>
    public static Node Scores(OperatorCall c, Node q, Node k)
    {
        GraphBuilder b = c.B;
        DType type = q.DType is DType.F16 or DType.BF16 ? DType.F32 : q.DType;
        Dim groups = Groups(c, q, k);
        if (groups == 1)
        {
            return b.DotGeneral(q, k, [0, 1], [0, 1], [3], [3], type);
        }
        Node grouped = b.Reshape(q, [q.Shape[0], k.Shape[1], groups, q.Shape[2], q.Shape[3]]);
        Node scores = b.DotGeneral(grouped, k, [0, 1], [0, 1], [4], [3], type);
        return b.Reshape(scores, [q.Shape[0], q.Shape[1], q.Shape[2], k.Shape[2]]);
    }

    /// <summary>Probabilities times values for each head: [batch, heads, queries, size].</summary>
    public static Node Context(OperatorCall c, Node probabilities, Node v)
    {
        GraphBuilder b = c.B;
        Node p = b.Convert(probabilities, v.DType);
        Dim groups = Groups(c, p, v);
        if (groups == 1)
        {
            return b.DotGeneral(p, v, [0, 1], [0, 1], [3], [2]);
        }
        Node grouped = b.Reshape(p, [p.Shape[0], v.Shape[1], groups, p.Shape[2], p.Shape[3]]);
        Node context = b.DotGeneral(grouped, v, [0, 1], [0, 1], [4], [2]);
        return b.Reshape(context, [p.Shape[0], p.Shape[1], p.Shape[2], v.Shape[3]]);
    }

    /// <summary>The usual factor of scores: 1 / sqrt(size), when the attribute scale is not given.</summary>
    public static Node Scaled(OperatorCall c, Node scores, Dim size)
    {
        GraphBuilder b = c.B;
        if (c.Attributes.Float("scale") is { } scale && scale != 0)
        {
            return b.Multiply(scores, b.Like(scores, scale));
        }
        return size.IsStatic
            ? b.Multiply(scores, b.Like(scores, 1 / Math.Sqrt(size.Value)))
            : b.Multiply(scores, b.ReciprocalSquareRoot(DimNodes.Splat(b, size, scores.DType, scores.Shape)));
    }

    private static Dim Groups(OperatorCall c, Node q, Node k) => Dim.TryDivideExact(q.Shape[1], k.Shape[1], out Dim groups)
        ? groups
        : throw c.Bad(
            $"{c.Proto.OpType} has queries {q.Type} and keys or values {k.Type}",
            "the heads of the queries must be a multiple of those of the keys and values");
}
