namespace Graphene.Optimizer;

/// <summary>The numbers behind fusion decisions, in elements moved to and from memory.</summary>
internal static class FusionCostModel
{
    /// <summary>Fusions that may each compute a cheap value for themselves.</summary>
    public const int MaxDuplicates = 4;

    /// <summary>Different places in one fusion at which a value may be computed.</summary>
    public const int MaxPlaces = 4;

    // A row is read several times; beyond this it falls out of the cache between the times, and fusing gains nothing.
    private const long MaxRowElements = 1 << 20;

    // One row is one task; fewer rows than this leave threads idle, which only pays when the whole is small.
    private const long MinRows = 8;
    private const long SmallElements = 1 << 15;

    /// <summary>True when consumers of a reduction may loop over the same rows. Symbolic extents count as fitting.</summary>
    public static bool AllowsRowFusion(Shape space, bool[] reduced)
    {
        Dim row = 1;
        Dim rows = 1;
        bool seenReduced = false;
        for (int axis = 0; axis < space.Rank; axis++)
        {
            if (space[axis] == 1)
            {
                continue;
            }
            if (reduced[axis])
            {
                seenReduced = true;
                row *= space[axis];
            }
            else if (seenReduced)
            {
                return false; // a row must lie together in memory
            }
            else
            {
                rows *= space[axis];
            }
        }
        bool shortEnough = !row.IsStatic || row.Value <= MaxRowElements;
        bool manyRows = !rows.IsStatic || rows.Value >= MinRows;
        bool small = rows.IsStatic && row.IsStatic && rows.Value * row.Value <= SmallElements;
        return shortEnough && (manyRows || small);
    }

    /// <summary>
    /// True when letting each of several fusions compute a cheap value moves less than storing it once and loading it: k fusions
    /// that read m operands each, against m reads, one write and k reads.
    /// </summary>
    public static bool PrefersDuplicates(Node node, int fusions, bool canBeStoredByOne)
    {
        Dim elements = node.Shape.ElementCount;
        int operands = node.Operands.Distinct().Count(o => o.Types.Length == 1 && o.Shape.ElementCount == elements);
        int stored = operands + fusions + (canBeStoredByOne ? 0 : 1);
        return fusions <= MaxDuplicates && fusions * operands < stored;
    }

    /// <summary>True when a transpose leaves the fastest dimension in its place, so that runs of memory stay together.</summary>
    public static bool KeepsRuns(Axes permutation) => permutation.Count == 0 || permutation[^1] == permutation.Count - 1;
}
