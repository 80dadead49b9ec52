using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Softmax and its relatives.</summary>
internal static class Softmaxes
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        .. Row("Softmax", Softmax),
        .. Row("LogSoftmax", LogSoftmax),
        .. Row("Hardmax", Hardmax),
    ];

    /// <summary>e^(x - max) over its sum, along axes.</summary>
    public static Node Softmax(GraphBuilder b, Node x, Axes axes)
    {
        Axes kept = axes.Complement(x.Rank);
        Node shifted = b.Subtract(x, b.BroadcastInDim(b.ReduceMax(x, axes), x.Shape, kept));
        Node powers = b.Exponential(shifted);
        return b.Divide(powers, b.BroadcastInDim(b.ReduceSum(powers, axes), x.Shape, kept));
    }

    /// <summary>x - max - log(sum of e^(x - max)), along axes.</summary>
    public static Node LogSoftmax(GraphBuilder b, Node x, Axes axes)
    {
        Axes kept = axes.Complement(x.Rank);
        Node shifted = b.Subtract(x, b.BroadcastInDim(b.ReduceMax(x, axes), x.Shape, kept));
        Node sum = b.Log(b.ReduceSum(b.Exponential(shifted), axes));
        return b.Subtract(shifted, b.BroadcastInDim(sum, x.Shape, kept));
    }

    // Before version 13 the input was seen as a matrix, all dimensions from the axis on being its columns.
    private static OperatorRow[] Row(string name, Func<GraphBuilder, Node, Axes, Node> function) =>
    [
        new("", name, 1, c =>
        {
            Node x = c.Input(0);
            int axis = c.NormalAxis(c.Int("axis", 1), x.Rank);
            c.Output(0, c.B.Wide(x, v => function(c.B, v, Axes.Range(axis, v.Rank - axis))));
        }),
        new("", name, 13, c =>
        {
            Node x = c.Input(0);
            int axis = c.NormalAxis(c.Int("axis", -1), x.Rank);
            c.Output(0, c.B.Wide(x, v => function(c.B, v, [axis])));
        }),
    ];

    // 1 at the first of the largest elements, 0 elsewhere.
    private static Node Hardmax(GraphBuilder b, Node x, Axes axes)
    {
        Axes kept = axes.Complement(x.Rank);
        Node largest = b.BroadcastInDim(b.ReduceMax(x, axes), x.Shape, kept);
        Node place = b.Splat(DType.I64, x.Shape, 0);
        foreach (int axis in axes)
        {
            Node wide = b.Multiply(place, DimNodes.Splat(b, x.Shape[axis], DType.I64, x.Shape));
            place = b.Add(wide, b.Iota(new TensorType(DType.I64, x.Shape), axis));
        }
        Node last = b.Constant(Scalar.FromInteger(DType.I64, long.MaxValue));
        Node isLargest = b.Compare(x, largest, CompareDirection.EQ);
        Node candidates = b.Select(isLargest, place, b.BroadcastInDim(last, x.Shape, []));
        Node first = b.Reduce(candidates, last, axes, ElementwiseTable.Minimum);
        return b.Convert(
            b.Compare(candidates, b.BroadcastInDim(first, x.Shape, kept), CompareDirection.EQ), x.DType);
    }
}
