namespace Graphene;

/// <summary>Walks all indices of a box in row-major order.</summary>
public static class IndexSpace
{
    /// <summary>Yields each index once; the same array is yielded every time, with new contents.</summary>
    /// <param name="extents">The box; a zero extent yields nothing, no extents yield one empty index.</param>
    public static IEnumerable<long[]> Of(IReadOnlyList<long> extents)
    {
        if (extents.Any(e => e == 0))
        {
            yield break;
        }
        var at = new long[extents.Count];
        while (true)
        {
            yield return at;
            int axis = at.Length - 1;
            while (axis >= 0 && ++at[axis] == extents[axis])
            {
                at[axis--] = 0;
            }
            if (axis < 0)
            {
                yield break;
            }
        }
    }
}
