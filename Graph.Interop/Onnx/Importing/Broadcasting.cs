namespace Graphene.Interop.Onnx.Importing;

/// <summary>ONNX's (NumPy's) implicit broadcasting, made explicit.</summary>
internal static class Broadcasting
{
    /// <summary>The shape that shapes broadcast to, aligned at the last dimension.</summary>
    /// <remarks>
    /// Two symbolic dimensions that are not known to be equal are taken to be equal, and a symbolic one beside a number other than 1
    /// to be that number; a run checks both.
    /// </remarks>
    public static Shape Join(OperatorCall c, params IEnumerable<Shape> shapes)
    {
        Shape[] all = [.. shapes];
        var result = new Dim[all.Max(s => s.Rank)];
        for (int i = 1; i <= result.Length; i++)
        {
            Dim joined = 1;
            foreach (Shape shape in all.Where(s => s.Rank >= i))
            {
                Dim dim = shape[shape.Rank - i];
                if (dim != 1 && joined != 1 && dim.IsStatic && joined.IsStatic && dim != joined)
                {
                    throw c.Bad(
                        $"{c.Proto.OpType} cannot combine the shapes {string.Join(", ", all.Select(s => s.ToString()))}",
                        $"dimensions {joined} and {dim} are different and neither is 1");
                }
                joined = joined == 1 || (dim.IsStatic && dim != 1) ? dim : joined;
            }
            result[^i] = joined;
        }
        return Shape.Create(result);
    }

    /// <summary>All nodes with the shape that they broadcast to.</summary>
    public static Node[] Align(OperatorCall c, params Node[] nodes)
    {
        Shape shape = Join(c, nodes.Select(n => n.Shape));
        return [.. nodes.Select(n => c.B.BroadcastTo(n, shape))];
    }

    /// <summary>Repeats along new leading and size-1 dimensions.</summary>
    public static Node BroadcastTo(this GraphBuilder b, Node x, Shape shape) =>
        b.BroadcastInDim(x, shape, Axes.Range(shape.Rank - x.Rank, x.Rank));

    /// <summary>A number in every element of the shape of another tensor, with its element type.</summary>
    public static Node Like(this GraphBuilder b, Node x, double value) => b.Splat(x.DType, x.Shape, value);

    /// <summary>Applies a function in f32 when the element type is f16 or bf16, so that it is rounded once.</summary>
    public static Node Wide(this GraphBuilder b, Node x, Func<Node, Node> function) => x.DType is DType.F16 or DType.BF16
        ? b.Convert(function(b.Convert(x, DType.F32)), x.DType)
        : function(x);

    /// <summary>A tensor over one axis of a shape, repeated along all others: a bias per channel.</summary>
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
