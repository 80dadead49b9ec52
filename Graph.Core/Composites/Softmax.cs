namespace Graphene;

/// <summary>Softmax and its relatives, shifted by the maximum so that large values do not overflow.</summary>
public static class SoftmaxComposite
{
    /// <summary><c>exp(x - max) / sum(exp(x - max))</c> along an axis.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating; f16 and bf16 are computed in f32.</param>
    /// <param name="axis">The axis along which results sum to 1; negative from the end.</param>
    public static Node Softmax(this GraphBuilder b, Node x, int axis = -1)
    {
        Axes axes = [b.Site("softmax", x).Axis(axis, x.Rank)];
        return b.Widened(x, wide =>
        {
            Node e = b.Exponential(Shifted(b, wide, axes));
            return b.Divide(e, b.BroadcastBack(b.ReduceSum(e, axes), e.Shape, axes));
        });
    }

    /// <summary><c>x - max - log(sum(exp(x - max)))</c> along an axis.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating; f16 and bf16 are computed in f32.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    public static Node LogSoftmax(this GraphBuilder b, Node x, int axis = -1)
    {
        Axes axes = [b.Site("log_softmax", x).Axis(axis, x.Rank)];
        return b.Widened(x, wide =>
        {
            Node shifted = Shifted(b, wide, axes);
            Node log = b.Log(b.ReduceSum(b.Exponential(shifted), axes));
            return b.Subtract(shifted, b.BroadcastBack(log, shifted.Shape, axes));
        });
    }

    /// <summary>1 at the first largest element along an axis, 0 elsewhere.</summary>
    public static Node Hardmax(this GraphBuilder b, Node x, int axis = -1)
    {
        int along = b.Site("hardmax", x).Axis(axis, x.Rank);
        Node first = b.ArgMax(x, along, keepDims: false);
        Node index = b.Iota(new TensorType(DType.I64, x.Shape), along);
        return b.Convert(b.Equal(index, b.BroadcastBack(first, x.Shape, [along])), x.DType);
    }

    // The result does not depend on the shift, so its gradient, which would be 0, need not be computed.
    private static Node Shifted(GraphBuilder b, Node x, Axes axes) =>
        b.Subtract(x, b.BroadcastBack(b.StopGradient(b.ReduceMax(x, axes)), x.Shape, axes));
}
