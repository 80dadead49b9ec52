namespace Graphene.Optimizer;

/// <summary>Writes a reshaped broadcast as a broadcast.</summary>
/// <remarks>
/// <code>
/// reshape(broadcast(x[c] to [b,s,c]), [b*s,c])      =>  broadcast(x[c] to [b*s,c])
/// reshape(broadcast(x[b,s] to [b,s,c]), [b*s,c])    =>  broadcast(reshape(x, [b*s]) to [b*s,c])
/// </code>
/// Both shapes are cut into the shortest groups of dimensions with equal products; in each group either every dimension of the
/// broadcast comes from the operand, or none does.
/// </remarks>
internal static class BroadcastRegrouping
{
    /// <summary>The broadcast under another shape; null when a group mixes kept and repeated dimensions.</summary>
    public static Node? TryRegroup(GraphBuilder b, Node x, BroadcastInDimOp op, Shape shape)
    {
        if (!op.BroadcastDimensions.SequenceEqual(op.BroadcastDimensions.Order()))
        {
            return null;
        }
        var inner = new List<Dim>();
        var places = new List<int>();
        foreach ((Range from, Range to) in Groups(op.Shape, shape))
        {
            (int begin, int length) = from.GetOffsetAndLength(op.Shape.Rank);
            int kept = Enumerable.Range(begin, length).Count(axis => IsKept(x, op, axis));
            int longAxes = Enumerable.Range(begin, length).Count(axis => op.Shape[axis] != 1);
            if (kept != 0 && kept != longAxes)
            {
                return null;
            }
            (int toBegin, int toLength) = to.GetOffsetAndLength(shape.Rank);
            foreach (int axis in Enumerable.Range(toBegin, kept == 0 ? 0 : toLength))
            {
                inner.Add(shape[axis]);
                places.Add(axis);
            }
        }
        Shape innerShape = Shape.From(inner);
        return innerShape.ElementCount == x.Shape.ElementCount
            ? b.BroadcastInDim(b.Reshape(x, innerShape), shape, Axes.From(places))
            : null;
    }

    // A dimension of the result that counts along a dimension of the operand.
    private static bool IsKept(Node x, BroadcastInDimOp op, int axis) =>
        op.Shape[axis] != 1 && op.BroadcastDimensions.IndexOf(axis) is >= 0 and var i && x.Shape[i] != 1;

    private static IEnumerable<(Range From, Range To)> Groups(Shape from, Shape to)
    {
        int i = 0;
        int j = 0;
        while (i < from.Rank || j < to.Rank)
        {
            (int iEnd, int jEnd) = NextGroup(from, to, i, j);
            yield return (i..iEnd, j..jEnd);
            (i, j) = (iEnd, jEnd);
        }
    }

    private static (int From, int To) NextGroup(Shape from, Shape to, int i, int j)
    {
        Dim left = 1;
        for (int iEnd = i; iEnd <= from.Rank; iEnd++)
        {
            left *= iEnd > i ? from[iEnd - 1] : 1;
            Dim right = 1;
            for (int jEnd = j; jEnd <= to.Rank; jEnd++)
            {
                right *= jEnd > j ? to[jEnd - 1] : 1;
                if ((iEnd > i || jEnd > j) && left == right)
                {
                    return (iEnd, jEnd);
                }
            }
        }
        return (from.Rank, to.Rank);
    }
}
