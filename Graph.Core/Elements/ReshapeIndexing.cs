namespace Graphene;

/// <summary>Maps an index under one shape to the index of the same element under another.</summary>
/// <remarks>
/// Both shapes are cut into the shortest groups of dims with equal products; an index crosses only within its group, so
/// [1,128,768] to [128,768] needs no arithmetic and [128,768] to [128,12,64] only touches the second dim.
/// </remarks>
public static class ReshapeIndexing
{
    /// <summary>The index into <paramref name="from"/> of element <paramref name="at"/> of <paramref name="to"/>.</summary>
    public static IndexVector Map(ExprFactory f, Shape from, Shape to, IndexVector at)
    {
        var result = new List<ScalarExpr>(from.Rank);
        int i = 0;
        int j = 0;
        while (i < from.Rank || j < to.Rank)
        {
            (int iEnd, int jEnd) = NextGroup(from, to, i, j);
            ScalarExpr position = Linearize(f, to, at, j, jEnd);
            result.AddRange(Delinearize(f, from, position, i, iEnd));
            i = iEnd;
            j = jEnd;
        }
        return IndexVector.From(result);
    }

    // The smallest ends such that the products of from[i..iEnd] and to[j..jEnd] are provably equal; all the rest otherwise.
    private static (int IEnd, int JEnd) NextGroup(Shape from, Shape to, int i, int j)
    {
        if (i < from.Rank && from[i] == 1)
        {
            return (i + 1, j);
        }
        if (j < to.Rank && to[j] == 1)
        {
            return (i, j + 1);
        }
        Dim left = 1;
        for (int iEnd = i + 1; iEnd <= from.Rank; iEnd++)
        {
            left *= from[iEnd - 1];
            Dim right = 1;
            for (int jEnd = j + 1; jEnd <= to.Rank; jEnd++)
            {
                right *= to[jEnd - 1];
                if (left == right && left != 0)
                {
                    return (iEnd, jEnd);
                }
            }
        }
        return (from.Rank, to.Rank);
    }

    private static ScalarExpr Linearize(ExprFactory f, Shape shape, IndexVector at, int begin, int end)
    {
        ScalarExpr position = f.Index(0);
        for (int axis = begin; axis < end; axis++)
        {
            position = f.Add(f.Multiply(position, f.Index(shape[axis])), at[axis]);
        }
        return position;
    }

    private static ScalarExpr[] Delinearize(ExprFactory f, Shape shape, ScalarExpr position, int begin, int end)
    {
        var index = new ScalarExpr[end - begin];
        for (int axis = end - 1; axis > begin; axis--)
        {
            ScalarExpr extent = f.Index(shape[axis]);
            index[axis - begin] = f.Remainder(position, extent);
            position = f.Divide(position, extent);
        }
        if (index.Length > 0)
        {
            index[0] = position;
        }
        return index;
    }
}
