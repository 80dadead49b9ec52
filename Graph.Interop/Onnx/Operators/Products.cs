using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Matrix products and contractions.</summary>
internal static class Products
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "MatMul", 1, c => c.Output(0, MatMul(c, c.Input(0), c.Input(1)))),
        new("", "MatMulInteger", 10, c => c.Output(0, MatMulInteger(c))),
        new("", "Gemm", 1, c => c.Output(0, Gemm(c))),
        new("", "Einsum", 12, c => c.Output(0, Einsum.Import(c))),
    ];

    /// <summary>The product of matrices as NumPy defines it: leading dimensions broadcast, vectors are rows or columns.</summary>
    public static Node MatMul(OperatorCall c, Node x, Node y, DType? resultType = null)
    {
        GraphBuilder b = c.B;
        if (x.Rank == 0 || y.Rank == 0)
        {
            throw c.Bad($"{c.Proto.OpType} of {x.Type} and {y.Type}", "it takes vectors and matrices");
        }
        if (x.Rank == 1 || y.Rank == 1)
        {
            Node product = MatMul(c, x.Rank == 1 ? b.Unsqueeze(x, 0) : x, y.Rank == 1 ? b.Unsqueeze(y, 1) : y, resultType);
            Node columns = y.Rank == 1 ? b.Squeeze(product, product.Rank - 1) : product;
            return x.Rank == 1 ? b.Squeeze(columns, columns.Rank - (y.Rank == 1 ? 1 : 2)) : columns;
        }
        // One matrix on the right serves all on the left: no batch dimensions, one large product.
        if (y.Rank == 2)
        {
            return b.DotGeneral(x, y, [], [], [x.Rank - 1], [0], resultType);
        }
        Shape batch = Broadcasting.Join(c, Shape.From(x.Shape.SkipLast(2)), Shape.From(y.Shape.SkipLast(2)));
        Node left = b.BroadcastTo(x, Shape.From([.. batch, .. x.Shape.TakeLast(2)]));
        Node right = b.BroadcastTo(y, Shape.From([.. batch, .. y.Shape.TakeLast(2)]));
        var axes = Axes.Range(batch.Rank);
        return b.DotGeneral(left, right, axes, axes, [batch.Rank + 1], [batch.Rank], resultType);
    }

    /// <summary>An integer tensor minus its zero point, in i32.</summary>
    /// <param name="b">Makes nodes.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="zeroPoint">A scalar, or one per place along an axis; null means 0.</param>
    /// <param name="axis">The axis.</param>
    public static Node Centered(GraphBuilder b, Node x, Node? zeroPoint, int axis)
    {
        Node wide = b.Convert(x, DType.I32);
        if (zeroPoint is null)
        {
            return wide;
        }
        Node zero = b.Convert(zeroPoint, DType.I32);
        bool isScalar = zero.Rank == 0 || zero.Shape.ElementCount == 1;
        return b.Subtract(wide, isScalar
            ? b.BroadcastInDim(b.Reshape(zero, Shape.Scalar), wide.Shape, [])
            : zero.Rank == 1 ? b.AlongAxis(zero, wide.Shape, axis) : b.BroadcastTo(zero, wide.Shape));
    }

    private static Node MatMulInteger(OperatorCall c)
    {
        Node x = c.Input(0);
        Node y = c.Input(1);
        return MatMul(
            c, Centered(c.B, x, c.Optional(2), Math.Max(x.Rank - 2, 0)), Centered(c.B, y, c.Optional(3), y.Rank - 1));
    }

    // alpha A B + beta C. Before version 7, C broadcast only when asked to.
    private static Node Gemm(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node y = c.Input(1);
        if (x.Rank != 2 || y.Rank != 2)
        {
            throw c.Bad($"Gemm of {x.Type} and {y.Type}", "it takes matrices");
        }
        int inner = c.Int("transA", 0) != 0 ? 0 : 1;
        Node product = b.DotGeneral(x, y, [], [], [inner], [c.Int("transB", 0) != 0 ? 1 : 0]);
        float alpha = c.Float("alpha", 1);
        float beta = c.Float("beta", 1);
        Node scaled = alpha == 1 ? product : b.Multiply(product, Factor(b, product, alpha));
        if (!c.Has(2) || beta == 0)
        {
            return scaled;
        }
        Node addend = c.Input(2);
        Node scaledAddend = beta == 1 ? addend : b.Multiply(addend, Factor(b, addend, beta));
        return b.Add(scaled, b.BroadcastTo(scaledAddend, scaled.Shape));
    }

    private static Node Factor(GraphBuilder b, Node like, float value) => like.DType.IsFloating()
        ? b.Like(like, value)
        : b.Like(like, Math.Truncate(value));
}
