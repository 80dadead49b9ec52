namespace Graphene;

/// <summary>Indices compared with the bounds of what they index: a gather moves them inside, a scatter skips those outside.</summary>
internal static class IndexBounds
{
    /// <summary>Each index moved to the nearest one within bounds; signed, and wide enough for the bounds.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="indices">Of any integer type.</param>
    /// <param name="vectorDim">The dimension of the index vectors; the rank when each index is a scalar.</param>
    /// <param name="low">The smallest index for each entry of a vector.</param>
    /// <param name="high">The largest one.</param>
    public static Node Clamp(GraphBuilder b, Node indices, int vectorDim, IReadOnlyList<Dim> low, IReadOnlyList<Dim> high)
    {
        Node signed = Signed(b, indices, high);
        return b.Minimum(
            b.Maximum(signed, Bound(b, signed, vectorDim, low)), Bound(b, signed, vectorDim, high));
    }

    /// <summary>True for index vectors all of whose entries are within bounds; without the dimension of the vectors.</summary>
    public static Node AreInside(
        GraphBuilder b, Node indices, int vectorDim, IReadOnlyList<Dim> low, IReadOnlyList<Dim> high)
    {
        Node signed = Signed(b, indices, high);
        Node inside = b.And(
            b.GreaterOrEqual(signed, Bound(b, signed, vectorDim, low)),
            b.LessOrEqual(signed, Bound(b, signed, vectorDim, high)));
        return vectorDim == indices.Rank ? inside : b.ReduceAll(inside, [vectorDim]);
    }

    // A u64 beyond the largest i64 is as far outside as that.
    private static Node Signed(GraphBuilder b, Node indices, IReadOnlyList<Dim> high)
    {
        bool fits = indices.DType == DType.I32 && high.All(h => h.Range.Max <= int.MaxValue);
        Node x = indices.DType == DType.U64 ? b.Minimum(indices, b.Like(indices, long.MaxValue / 2)) : indices;
        return fits ? x : b.Convert(x, DType.I64);
    }

    /// <summary>A number for each entry of a vector, in the shape and type of the indices.</summary>
    public static Node Bound(GraphBuilder b, Node indices, int vectorDim, IReadOnlyList<Dim> bounds)
    {
        Node[] entries = [.. bounds.Select(bound => b.Convert(b.DimValue(bound), indices.DType))];
        if (entries.Length == 0 || entries.Skip(1).All(e => ReferenceEquals(e, entries[0])))
        {
            return entries.Length == 0 ? b.Like(indices, 0) : b.BroadcastTo(entries[0], indices.Shape);
        }
        Node vector = b.Concatenate([.. entries.Select(e => b.Reshape(e, [1]))], 0);
        return b.BroadcastInDim(vector, indices.Shape, [vectorDim]);
    }
}
