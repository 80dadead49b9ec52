namespace Graphene;

/// <summary>Sorting by value. NaN counts as larger than every number; equal elements keep their order.</summary>
public static class SortingComposites
{
    /// <summary>The k largest (or smallest) elements along an axis and their positions, best first.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Any numeric dtype.</param>
    /// <param name="k">How many; at most the axis's size.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    /// <param name="largest">True for the largest, false for the smallest.</param>
    /// <returns>The elements, and their positions as i64; of equal elements the earlier comes first.</returns>
    public static (Node Values, Node Positions) TopK(this GraphBuilder b, Node x, Dim k, int axis = -1, bool largest = true)
    {
        OpSite site = b.Site("top_k", x);
        int along = site.Axis(axis, x.Rank);
        site.Require(
            site.CanBeAtMost(k, x.Shape[along]) && k.Range.Max >= 0, DiagnosticId.BadAttribute,
            $"cannot take {k} of {x.Shape[along]} elements of {x.Type} along axis {along}");
        (Node values, Node positions) = b.SortWithPositions(x, along, largest);
        return (b.SliceDimension(values, along, 0, k), b.SliceDimension(positions, along, 0, k));
    }

    /// <summary>All elements along an axis in order, and the positions they had, as i64.</summary>
    public static (Node Values, Node Positions) SortWithPositions(
        this GraphBuilder b, Node x, int axis = -1, bool descending = false)
    {
        int along = b.Site("sort", x).Axis(axis, x.Rank);
        Node positions = b.Iota(new TensorType(DType.I64, x.Shape), along);
        Node[] sorted = b.Sort([x, positions], along, Comparator([x.DType, DType.I64], descending));
        return (sorted[0], sorted[1]);
    }

    /// <summary>All elements along an axis in order.</summary>
    public static Node SortValues(this GraphBuilder b, Node x, int axis = -1, bool descending = false)
    {
        int along = b.Site("sort", x).Axis(axis, x.Rank);
        return b.Sort([x], along, Comparator([x.DType], descending))[0];
    }

    /// <summary>Compares by the first of several tensors.</summary>
    /// <param name="types">The element types of the sorted tensors.</param>
    /// <param name="descending">True for the largest first.</param>
    public static Computation Comparator(IReadOnlyList<DType> types, bool descending)
    {
        var b = new GraphBuilder();
        Node[] p = [.. types.SelectMany(t => new[] { t, t }).Select((t, i) => b.Parameter(i, TensorType.Scalar(t)))];
        (Node small, Node large) = descending ? (p[1], p[0]) : (p[0], p[1]);
        Node before = b.Less(small, large);
        if (types[0].IsFloating())
        {
            before = b.Or(before, b.And(b.NotEqual(large, large), b.Equal(small, small)));
        }
        return b.Build(descending ? "descending" : "ascending", [before]);
    }
}
