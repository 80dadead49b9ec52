namespace Graphene.Codegen;

/// <content>How the elements of results are shared among threads.</content>
internal sealed partial class GpuLoopLowering
{
    private GpuSection Shape(IReadOnlyList<LoopRoot> roots, IReadOnlyList<LoopGroup> groups, IReadOnlyList<LoopGroup> serial)
    {
        var section = new GpuSection(roots, groups, serial, 1, 1);
        if (section.Inner is not { } inner)
        {
            return section;
        }
        ScalarExpr[] all = [.. ExprAnalysis.All(roots.Select(r => r.Element))];
        LoadExpr[] loads = [.. all.OfType<LoadExpr>()];
        (AffineIndex, int)[] accesses =
        [
            .. roots.Select(r => (r.Store, r.Output.Element.SizeInBytes())),
            .. loads.Select(l => (AffineIndex.Of(l), l.DType.SizeInBytes())),
        ];
        bool hasLoops = all.OfType<LoopResultExpr>().Any(e => e.Loop.Variables.Count > 0);
        int lanes = ThreadVectors.Lanes(_analysis, inner, accesses, IsPossible);
        while (lanes > 1 && hasLoops && IsFewerThan(section.Elements, (long)lanes * _gpu.Multiprocessors * 2 * MostThreads))
        {
            lanes /= 2;
        }
        section = section with { Lanes = lanes };
        bool isDear = hasLoops || serial.Count > 0 || all.Length > FewExpressions ||
            all.OfType<CallExpr>().Any(c => VectorMath.Expands(c.Op));
        int bytes = loads.Where(l => _analysis.DependsOn(l, [inner.Last])).Sum(l => l.DType.SizeInBytes() * lanes);
        int several = isDear ? 1 : ThreadVectors.AtOnce(bytes == 0 ? roots.Sum(r => r.Output.Element.SizeInBytes() * lanes) : bytes);
        while (several > 1 && IsFewerThan(section.Elements, (long)lanes * several * 4 * _gpu.Multiprocessors * MostThreads))
        {
            several /= 2;
        }
        section = section with
        {
            Several = several,
            Forms = new LaneForms(_analysis, inner.Last, lanes),
        };
        return section with { IsByRow = IsByRow(section) };

        // Rows that end inside of a vector would leave the next ones without alignment.
        bool IsPossible(int count) => (groups.Count == 1 && serial.Count == 0) || LaneForms.MultipleOf(inner.Extent) >= count;
    }

    // Blocks within rows, when little of the last one of each is idle.
    private static bool IsByRow(GpuSection section)
    {
        long step = (long)MostThreads * section.Several;
        return section.Groups.Count > 1 && section.VectorsPerRow is { IsStatic: true, Value: > 0 and var vectors } &&
            vectors * 10 >= DimMath.CeilDiv(vectors, step) * step * 9;
    }

    private bool IsSmall(GpuSection section) =>
        !section.IsByRow && IsFewerThan(section.Vectors, 2L * section.Several * MostThreads * _gpu.Multiprocessors);

    private static bool IsFewerThan(Dim count, long limit) => count.IsStatic && count.Value < limit;
}

/// <summary>Results that threads compute together.</summary>
/// <param name="Roots">The results.</param>
/// <param name="Groups">The loops that threads share, the last one in lanes.</param>
/// <param name="Serial">Loops of each thread.</param>
/// <param name="Lanes">The elements of a vector.</param>
/// <param name="Several">The vectors of a thread.</param>
internal sealed record GpuSection(
    IReadOnlyList<LoopRoot> Roots, IReadOnlyList<LoopGroup> Groups, IReadOnlyList<LoopGroup> Serial, int Lanes, int Several)
{
    /// <summary>Whether a block lies in one row.</summary>
    public bool IsByRow { get; init; }

    /// <summary>What the lanes have in common.</summary>
    public LaneForms? Forms { get; init; }

    /// <summary>The loop in lanes; null for a single element.</summary>
    public LoopGroup? Inner => Groups.Count == 0 ? null : Groups[^1];

    /// <summary>The rows.</summary>
    public Dim Rows => Groups.SkipLast(1).Aggregate((Dim)1, (n, g) => n * g.Extent);

    /// <summary>The elements of a row.</summary>
    public Dim Columns => Inner?.Extent ?? 1;

    /// <summary>The elements that threads share.</summary>
    public Dim Elements => Rows * Columns;

    /// <summary>The vectors of a row, where they fill it.</summary>
    public Dim VectorsPerRow => Dim.FloorDiv(Columns, Lanes);

    /// <summary>The vectors that are there completely.</summary>
    public Dim WholeVectors => Rows * VectorsPerRow;

    /// <summary>The vectors, one that is there in part among them.</summary>
    public Dim Vectors => HasTail ? Dim.CeilDiv(Columns, Lanes) : WholeVectors;

    /// <summary>Whether a last vector may be there in part: then there is one row.</summary>
    public bool HasTail => LaneForms.MultipleOf(Columns) < Lanes;
}
