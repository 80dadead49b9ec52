namespace Graphene;

/// <summary>Words that gradient rules are written with.</summary>
internal static class Cotangents
{
    /// <summary>Zeros of a type; takes no memory.</summary>
    public static Node Zeros(this GraphBuilder b, TensorType type) => b.Splat(type.DType, type.Shape, 0);

    /// <summary>True for a number repeated in every element.</summary>
    public static bool IsSplat(Node node, out Scalar value)
    {
        Node source = node.Op is BroadcastInDimOp ? node.Operands[0] : node;
        bool isSplat = source.Op is ConstantOp { Value: { ElementCount: > 0 } literal } && literal.IsSplat();
        value = isSplat ? ((ConstantOp)source.Op).Value[0] : default;
        return isSplat;
    }

    /// <summary>True for zeros known while building.</summary>
    public static bool IsZero(Node node) => IsSplat(node, out Scalar value) && value.AsDouble == 0;

    /// <summary>
    /// The sum of two cotangents. One that is zero outside of some places is put into the other there, so that the gradient of a
    /// loop that takes one row a round does not add a whole tensor a round.
    /// </summary>
    public static Node Sum(this GraphBuilder b, Node x, Node y) =>
        IsZero(x) ? y : IsZero(y) ? x : y.Op.AddTo(b, y, x) ?? x.Op.AddTo(b, x, y) ?? b.Add(x, y);

    /// <summary>The sum of two tangents or cotangents of which each may be zero.</summary>
    public static Node? SumOrNull(this GraphBuilder b, Node? x, Node? y) => x is null ? y : y is null ? x : b.Sum(x, y);

    /// <summary>The value where a predicate holds, zeros elsewhere.</summary>
    public static Node Masked(this GraphBuilder b, Node predicate, Node x) => b.Select(predicate, x, b.Like(x, 0));

    /// <summary>A tangent through an op that is linear in its first operand: the op itself, applied to it.</summary>
    public static Node? ThroughLinear(this GraphBuilder b, Node self, Node? tangent) =>
        tangent is null ? null : b.Add(self.Op, self.Operands.SetItem(0, tangent));

    /// <summary>A value under the shape it is needed in: dims that a run-time check finds equal may be written differently.</summary>
    public static Node WithShapeOf(this GraphBuilder b, Node x, TensorType type) =>
        x.Shape.Equals(type.Shape) ? x : b.Reshape(x, type.Shape);

    /// <summary>The sum of all elements, as a scalar.</summary>
    public static Node Total(this GraphBuilder b, Node x) => b.ReduceSum(x, null, keepDims: false);
}
