namespace Graphene;

/// <summary>NumPy's broadcasting: shapes are aligned at their last dimension; a missing or size-1 dimension is repeated.</summary>
public static class Broadcasting
{
    /// <summary>The shape that two shapes broadcast to; null when they do not.</summary>
    /// <remarks>
    /// A symbolic dim against a number other than 1 takes the number, two symbolic dims the left one; a check when the graph runs
    /// confirms that they are equal.
    /// </remarks>
    public static Shape? TryBroadcast(Shape x, Shape y)
    {
        int rank = Math.Max(x.Rank, y.Rank);
        var dims = new Dim[rank];
        for (int i = 1; i <= rank; i++)
        {
            Dim left = i <= x.Rank ? x[x.Rank - i] : 1;
            Dim right = i <= y.Rank ? y[y.Rank - i] : 1;
            if (left != 1 && right != 1 && left.ProvablyDiffers(right))
            {
                return null;
            }
            dims[rank - i] = left == 1 || (right.IsStatic && right != 1) ? right : left;
        }
        return Shape.From(dims);
    }

    /// <summary>Repeats a tensor to a shape.</summary>
    /// <exception cref="GraphException">GR1007: it does not broadcast to that shape.</exception>
    public static Node BroadcastTo(this GraphBuilder b, Node x, Shape shape)
    {
        int added = shape.Rank - x.Rank;
        b.Site("broadcast", x).Require(
            added >= 0, DiagnosticId.NotBroadcastable, $"{x.Type} has more dimensions than {shape}");
        return b.BroadcastInDim(x, shape, Axes.Range(Math.Max(0, added), x.Rank));
    }

    /// <summary>Repeats tensors to their common shape.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="name">The op that needs it, for errors.</param>
    /// <param name="operands">The tensors.</param>
    /// <exception cref="GraphException">GR1007: there is no common shape.</exception>
    public static Node[] BroadcastTogether(this GraphBuilder b, string name, params ReadOnlySpan<Node> operands)
    {
        Shape shape = Shape.Scalar;
        foreach (Node operand in operands)
        {
            shape = TryBroadcast(shape, operand.Shape) ?? throw b.Site(name, operands).Error(
                DiagnosticId.NotBroadcastable,
                $"shapes do not broadcast: {string.Join(" and ", operands.ToArray().Select(o => o.Type))}",
                "aligned at the last dimension, two sizes must be equal or one of them 1",
                "reshape one of them, or insert a dimension of size 1");
        }
        var result = new Node[operands.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = b.BroadcastTo(operands[i], shape);
        }
        return result;
    }

    /// <summary>Repeats two tensors to their common shape.</summary>
    /// <exception cref="GraphException">GR1007: there is no common shape.</exception>
    public static (Node X, Node Y) Broadcast(this GraphBuilder b, Node x, Node y)
    {
        Node[] both = b.BroadcastTogether("broadcast", x, y);
        return (both[0], both[1]);
    }

    /// <summary>Applies an elementwise function of any arity to tensors that are broadcast first.</summary>
    public static Node ElementwiseBroadcast(this GraphBuilder b, ElementwiseFn fn, params ReadOnlySpan<Node> operands) =>
        b.Elementwise(fn, b.BroadcastTogether(fn.Name, operands));

    /// <summary>Repeats a reduced tensor along the axes that were reduced.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="reduced">A tensor of <paramref name="shape"/> without <paramref name="axes"/>.</param>
    /// <param name="shape">The shape before the reduction.</param>
    /// <param name="axes">The reduced axes.</param>
    public static Node BroadcastBack(this GraphBuilder b, Node reduced, Shape shape, Axes axes) =>
        b.BroadcastInDim(reduced, shape, axes.Complement(shape.Rank));

    /// <summary>Repeats a vector along all axes but one, for example a bias along the features.</summary>
    public static Node BroadcastAlong(this GraphBuilder b, Node vector, Shape shape, int axis) =>
        b.BroadcastInDim(vector, shape, vector.Rank == 0 ? [] : [axis]);
}
