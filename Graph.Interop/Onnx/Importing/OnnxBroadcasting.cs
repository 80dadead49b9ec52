namespace Graphene.Interop.Onnx.Importing;

/// <summary>ONNX's implicit broadcasting and other steps that many operators share.</summary>
internal static class OnnxBroadcasting
{
    /// <summary>The shape that shapes broadcast to, aligned at the last dimension.</summary>
    /// <exception cref="GraphException">GR4010: they do not broadcast.</exception>
    public static Shape Join(OperatorCall c, params IEnumerable<Shape> shapes)
    {
        Shape? joined = Shape.Scalar;
        foreach (Shape shape in shapes)
        {
            joined = Broadcasting.TryBroadcast(joined, shape) ?? throw c.Bad(
                $"{c.Proto.OpType} cannot combine the shapes {string.Join(" and ", shapes)}",
                "aligned at the last one, dimensions must be equal or 1");
        }
        return joined;
    }

    /// <summary>All nodes with the shape that they broadcast to.</summary>
    public static Node[] Align(OperatorCall c, params Node[] nodes)
    {
        Shape shape = Join(c, nodes.Select(n => n.Shape));
        return [.. nodes.Select(n => c.B.BroadcastTo(n, shape))];
    }

    /// <summary>A number in every element of the shape of another tensor, with its element type.</summary>
    public static Node Like(this GraphBuilder b, Node x, double value) => b.Splat(x.DType, x.Shape, value);

    /// <summary>Applies a function in f32 when the element type is f16 or bf16, so that it is rounded once.</summary>
    public static Node Wide(this GraphBuilder b, Node x, Func<Node, Node> function) => x.DType is DType.F16 or DType.BF16
        ? b.Convert(function(b.Convert(x, DType.F32)), x.DType)
        : function(x);

    /// <summary>A vector, or anything with as many elements, along one axis of a shape: a bias per channel.</summary>
    public static Node AlongAxis(this GraphBuilder b, Node vector, Shape shape, int axis) =>
        b.BroadcastInDim(vector.Rank == 1 ? vector : b.Reshape(vector, [vector.Shape.ElementCount]), shape, [axis]);

    /// <summary>Adds size-1 dimensions at the given places of the result.</summary>
    public static Node Unsqueeze(this GraphBuilder b, Node x, params ReadOnlySpan<int> axes)
    {
        List<Dim> dims = [.. x.Shape];
        int[] sorted = [.. axes];
        Array.Sort(sorted);
        foreach (int axis in sorted)
        {
            dims.Insert(axis, 1);
        }
        return b.Reshape(x, Shape.From(dims));
    }

    /// <summary>Removes dimensions of size 1.</summary>
    public static Node Squeeze(this GraphBuilder b, Node x, params ReadOnlySpan<int> axes) =>
        b.Reshape(x, x.Shape.Without(Axes.Create(axes)));
}
