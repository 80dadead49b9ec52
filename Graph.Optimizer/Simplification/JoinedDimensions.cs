namespace Graphene.Optimizer;

/// <summary>Reads a reshape as one that only joins neighbouring dimensions.</summary>
internal static class JoinedDimensions
{
    /// <summary>The dimensions that each dimension of the result is made of, in order; null when some are cut.</summary>
    /// <param name="from">The shape before.</param>
    /// <param name="to">The shape behind.</param>
    public static int[][]? Of(Shape from, Shape to)
    {
        var groups = new int[to.Rank][];
        int next = 0;
        for (int axis = 0; axis < to.Rank; axis++)
        {
            int first = next;
            Dim joined = 1;
            while (next < from.Rank && (next == first || joined != to[axis]))
            {
                joined *= from[next++];
            }
            if (joined != to[axis])
            {
                return null;
            }
            groups[axis] = [.. Enumerable.Range(first, next - first)];
        }
        return next == from.Rank ? groups : null;
    }
}
