namespace Graphene.Optimizer;

/// <summary>The numbers behind fusion decisions, in elements moved to and from memory.</summary>
/// <param name="machine">What the kernels will run on.</param>
internal sealed class FusionCostModel(MachineTraits machine)
{
    /// <summary>Different places in one fusion at which a value may be computed.</summary>
    public const int MaxPlaces = 4;

    // Fusions that may each compute a value for themselves.
    private const int MaxDuplicates = 4;

    // Pieces that a thread tells apart; each has code of its own.
    private const int MaxPieces = 8;

    // The body of a fusion that turns tiles is repeated for each element of a word.
    private const int MaxTurnedNodes = 24;

    // What is so much smaller than the fusion comes from the near caches, however often it is read.
    private const int FewTimes = 8;

    // A function of a row takes as long as a few vectors of its elements.
    private const int LongRow = 256;

    /// <summary>True when consumers of a reduction may loop over the same rows. Symbolic extents count as fitting.</summary>
    public bool AllowsRowFusion(Shape space, bool[] reduced)
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
        bool shortEnough = !row.IsStatic || row.Value <= machine.LongestRow;
        bool manyRows = !rows.IsStatic || rows.Value >= machine.FewestRows;
        bool small = rows.IsStatic && row.IsStatic && rows.Value * row.Value <= machine.SmallElements;
        return shortEnough && (manyRows || small);
    }

    /// <summary>
    /// True when letting each of several fusions compute a value moves less than storing it once and loading it: k fusions that read m
    /// operands each, and compute k times, against m reads, one write, k reads, and computing once.
    /// </summary>
    public bool PrefersDuplicates(Node node, int fusions, bool canBeStoredByOne)
    {
        if (fusions > MaxDuplicates || (node.Op.IsExpensive && machine.FlopsPerByte == 0))
        {
            return false;
        }
        Dim elements = node.Shape.ElementCount;
        int operands = FusionRoles.Of(node) == FusionRole.Assemble ? 1
            : node.Operands.Distinct().Count(o => o.Types.Length == 1 && o.Shape.ElementCount == elements);
        int stored = operands + fusions + (canBeStoredByOne ? 0 : 1);
        int moreFlops = node.Op.IsExpensive ? (fusions - 1) * ElementwiseFn.ExpensiveFlops : 0;
        return moreFlops == 0
            ? fusions * operands < stored
            : moreFlops < (stored - (fusions * operands)) * FlopsPerElement(node);
    }

    /// <summary>True when a function may be computed for each element of a fusion, although it has fewer values.</summary>
    /// <param name="node">The function.</param>
    /// <param name="present">Functions that the fusion repeats so already.</param>
    public bool AllowsRepeatedFunction(Node node, int present) =>
        (present + 1) * ElementwiseFn.ExpensiveFlops <= FlopsPerElement(node);

    /// <summary>True for a value of a whole row of a loop: it is computed before the row, by one processor for many elements.</summary>
    public bool IsOfLongRow(Shape space, FusionPosition at)
    {
        if (machine.FlopsPerByte > 0 || at.Axes is not { } axes)
        {
            return false;
        }
        int rows = axes.Where(axis => axis >= 0).Select(axis => axis + 1).DefaultIfEmpty(0).Max();
        Dim row = space.Skip(rows).Aggregate((Dim)1, (n, d) => n * d);
        return row is { IsStatic: true, Value: >= LongRow } && Enumerable.Range(0, rows).All(axis => space[axis] == 1 || axes.Contains(axis));
    }

    /// <summary>True when a cheap value may be computed at each of the many places where a fusion asks for it.</summary>
    public bool AllowsRepeatedMap(Node node, FusionCluster cluster)
    {
        if (machine.FlopsPerByte == 0 || node.Op.IsExpensive)
        {
            return false;
        }
        int read = node.Operands.Distinct().Count(o => o.Rank > 0 && FusionRoles.Of(o) != FusionRole.Free);
        return read <= 1 || (Dim.TryDivideExact(cluster.Space.ElementCount, node.Shape.ElementCount, out Dim times) &&
            times is { IsStatic: true, Value: >= FewTimes });
    }

    /// <summary>True when a node that puts its result together from pieces may be computed element by element.</summary>
    public bool JoinsPieces(Node node) =>
        machine.JoinsPieces && (node.Op is PadOp || (node.Op is ConcatenateOp && node.Operands.Length <= MaxPieces));

    /// <summary>
    /// True where a loop walks the pieces of a row one after another, instead of asking for each element of
    /// which piece it is.
    /// </summary>
    public bool TakesPiecesInTurns => !machine.JoinsPieces;

    /// <summary>
    /// True for a part of a tensor that what follows a dot or convolution may read where it lies: the
    /// step of a sequence.
    /// </summary>
    public bool ReadsPartAfterHero(Node node) =>
        machine.ReadsPartsAfterHeroes && node.Op is (DynamicSliceOp or SliceOp { Strides: [.., 1] });

    /// <summary>True when a fusion of so many nodes may read across memory.</summary>
    public bool TurnsTiles(int nodes) => machine.TurnsTiles && nodes <= MaxTurnedNodes;

    /// <summary>True when a transpose leaves the fastest dimension in its place, so that runs of memory stay together.</summary>
    public static bool KeepsRuns(Axes permutation) => permutation.Count == 0 || permutation[^1] == permutation.Count - 1;

    // Wider types have fewer operations in the same time, so a word counts for all.
    private int FlopsPerElement(Node node) => machine.FlopsPerByte * Math.Min(sizeof(float), node.Types[0].DType.SizeInBytes());
}
