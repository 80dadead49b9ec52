using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Matrix products and contractions.</summary>
internal static class Products
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "MatMul", 1, c => c.Output(0, c.B.MatMul(c.Input(0), c.Input(1)))),
        new("", "MatMulInteger", 10, c => c.Output(0, IntegerProducts.MatMul(c, 0, 2, 1, 3))),
        new("", "Gemm", 1, Gemm),
        new("", "Einsum", 12, c => c.Output(0, Einsum.Import(c))),
    ];

    /// <summary>An integer tensor minus its zero point, in i32.</summary>
    /// <param name="b">Makes nodes.</param>
    /// <param name="x">The tensor.</param>
    /// <param name="zeroPoint">A scalar, or one per place along an axis; null means 0.</param>
    /// <param name="axis">The axis.</param>
    public static Node Centered(GraphBuilder b, Node x, Node? zeroPoint, int axis)
    {
        Node wide = b.Convert(x, DType.I32);
        return zeroPoint is null ? wide : b.Subtract(wide, Spread(b, b.Convert(zeroPoint, DType.I32), wide, axis));
    }

    /// <summary>A scalar everywhere, or a vector along an axis, or a tensor that broadcasts.</summary>
    public static Node Spread(GraphBuilder b, Node x, Node like, int axis) =>
        x.Shape.ElementCount == 1 ? b.BroadcastInDim(b.Reshape(x, Shape.Scalar), like.Shape, [])
            : x.Rank == 1 ? b.AlongAxis(x, like.Shape, axis)
            : b.BroadcastTo(x, like.Shape);

    private static void Gemm(OperatorCall c)
    {
        if (c.Value(0).Rank != 2 || c.Value(1).Rank != 2)
        {
            throw c.Bad($"Gemm of {c.Value(0).TensorType} and {c.Value(1).TensorType}", "it takes matrices");
        }
        c.Output(0, c.B.Gemm(
            c.Input(0), c.Input(1), c.Optional(2), c.Float("alpha", 1), c.Float("beta", 1), c.Int("transA", 0) != 0,
            c.Int("transB", 0) != 0));
    }
}
