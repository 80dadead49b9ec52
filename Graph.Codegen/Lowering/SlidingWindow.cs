namespace Graphene.Codegen;

/// <summary>
/// A reduction whose elements change with a counter of the results, x, and with the last counter of its own, j, by their sum alone: a
/// window that slides along x. What lies at one place of that sum is reduced once for all windows that it is under.
/// </summary>
/// <param name="Loop">The reduction.</param>
/// <param name="Function">What combines two elements.</param>
/// <param name="Along">x.</param>
/// <param name="Tap">j.</param>
/// <param name="Stride">How far x + 1 is from x.</param>
/// <param name="Dilation">How far j + 1 is from j.</param>
/// <param name="Element">An element that is inside of what it reads.</param>
/// <param name="Bounds">Where elements are inside. Those that are not are the value that the reduction begins with.</param>
internal sealed record SlidingWindow(
    LoopExpr Loop, ReductionFunction Function, IndexVariable Along, IndexVariable Tap, long Stride, long Dilation,
    ScalarExpr Element, IReadOnlyList<WindowBound> Bounds)
{
    /// <summary>Lanes are sorted out of vectors for steps up to this; for longer ones each is loaded by itself.</summary>
    public const long MostStep = 4;

    // Wider windows have rows of scratch that are nothing but reach.
    private const long MostTaps = 1024;

    /// <summary>How many places a window has along the counter.</summary>
    public long Taps => Tap.Extent.Value;

    /// <summary>How far the last place of a window is from the first.</summary>
    public long Reach => (Taps - 1) * Dilation;

    /// <summary>The value that the reduction begins with, and that stands for what is outside.</summary>
    public Scalar Initial => ((ConstantExpr)Loop.Initial[0]).Value;

    /// <summary>The counters of the window's other dimensions.</summary>
    public IReadOnlyList<IndexVariable> Others => [.. Loop.Variables.SkipLast(1)];

    /// <summary>The counter that takes all places in order while the other one is 0.</summary>
    public IndexVariable Counter => Dilation == 1 ? Tap : Along;

    /// <summary>Whether a bound is one on places along the counter.</summary>
    public bool IsAlong(WindowBound bound) => bound.Index[Tap] != 0;

    /// <summary>The window that a reduction is; null when it is none, or when the order of its sums is another.</summary>
    /// <param name="loop">The reduction.</param>
    /// <param name="along">The counter that it may slide along.</param>
    /// <param name="lane">The counter of the results that lie next to each other: this one, or one of features inside of it.</param>
    /// <param name="analysis">Facts about expressions.</param>
    /// <param name="factory">Makes expressions.</param>
    public static SlidingWindow? TryFind(
        LoopExpr loop, IndexVariable along, IndexVariable lane, ExprAnalysis analysis, ExprFactory factory)
    {
        if (loop is not { Combine: not null, Elements: [var element], Initial: [ConstantExpr initial], Variables: [.., var tap] }
            || tap.Extent is not { IsStatic: true, Value: >= 2 and <= MostTaps and var taps }
            || ReductionFunction.Of(loop) is not { Op: ScalarOp.Add or ScalarOp.Maximum or ScalarOp.Minimum } function
            || !function.MayLeaveOut(initial.Value) || (IsOrdered(function) && (lane != along || !IsSumOfFew(loop, analysis))))
        {
            return null;
        }
        WindowBound[]? bounds = [];
        if (element is GuardExpr guard)
        {
            bounds = ReferenceEquals(guard.Otherwise, initial) ? WindowBound.TryOf(guard.Condition) : null;
            element = guard.Value;
        }
        ScalarExpr[] all = [.. ExprAnalysis.All([element])];
        AffineIndex? place = all.OfType<LoadExpr>().SelectMany(load => load.At)
            .Select(at => AffineIndex.Difference(at, factory.Index(0), 0))
            .FirstOrDefault(at => at[along] != 0 || at[tap] != 0);
        if (bounds is null || place is null || !place[along].IsStatic || !place[tap].IsStatic || all.Any(e => e is LoopResultExpr))
        {
            return null;
        }
        (long stride, long dilation) = (place[along].Value, place[tap].Value);
        var window = new SlidingWindow(loop, function, along, tap, stride, dilation, element, bounds);
        return stride >= 1 && dilation >= 1 && stride <= taps && (stride == 1 || dilation == 1)
            && (loop.Variables.Count > 1 || stride < taps || stride <= MostStep)
            && window.Slides(element, analysis, factory) && bounds.All(b => window.IsKnown(b) && (lane == along || b.Index[lane] == 0))
            && all.OfType<LoadExpr>().Any(load => AffineIndex.Of(load)[lane == along ? window.Counter : lane] == 1)
            && (lane == along || window.HasFewerRounds)
            ? window
            : null;
    }

    // Whether places are worth being kept where all elements of a window lie together in memory as they are.
    private bool HasFewerRounds => Others.Aggregate((Dim)1, (n, v) => n * v.Extent) is var down &&
        (!down.IsStatic || (Stride * down.Value) + Taps + 2 < down.Value * Taps);

    /// <summary>Combines what is at the places of a window; floating-point sums in their order, as lanes along the window join.</summary>
    public KExpr Join(IEnumerable<KExpr> places)
    {
        KExpr[] joined = [.. places];
        for (int half = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)joined.Length) / 2; half >= 1; half /= 2)
        {
            KExpr[] high = [.. joined.Skip(half)];
            joined = [.. joined.Take(half).Select((low, i) => i < high.Length ? KBuilder.Call(Function.Op, low, high[i]) : low)];
        }
        return joined[0];
    }

    private static bool IsOrdered(ReductionFunction function) => function.Op == ScalarOp.Add && function.Identity.DType.IsFloating();

    // Few consecutive elements are added up by columns, each from its first row to its last, before columns are joined.
    private static bool IsSumOfFew(LoopExpr loop, ExprAnalysis analysis)
    {
        var merging = new LoopMerging(analysis, loop.Elements!, []);
        return merging.Merge(loop.Variables)[^1] is { Members: [var inner], Extent.Value: < ExprEmitter.FewElements } &&
            merging.Accesses.Any(a => a[inner] == 1);
    }

    // Along x, or along one other dimension of the window; each with a known slope.
    private bool IsKnown(WindowBound bound)
    {
        AffineIndex index = bound.Index;
        if (index[Along] != 0 || index[Tap] != 0)
        {
            return IsPlace(index) && index[Along].Value / Stride is 1 or -1 &&
                index.Variables.All(v => v == Along || v == Tap || index[v] == 0);
        }
        return bound.OnlyOneOf(Others) is not null;
    }

    private bool IsPlace(AffineIndex index) =>
        index[Along].IsStatic && index[Tap].IsStatic && index[Along].Value * Dilation == index[Tap].Value * Stride;

    // Whether an expression changes with the counters by the place that they make together, and in no other way.
    private bool Slides(ScalarExpr e, ExprAnalysis analysis, ExprFactory factory)
    {
        IndexVariable[] both = [Along, Tap];
        if (!analysis.DependsOn(e, both))
        {
            return true;
        }
        if (e is IndexVariable)
        {
            return false;
        }
        if (e is CallExpr { DType: DType.I64 } && AffineIndex.Difference(e, factory.Index(0), 0) is var index &&
            !index.Opaque.Any(t => analysis.DependsOn(t.Term, both)) && IsPlace(index))
        {
            return true;
        }
        return ExprAnalysis.Parts(e).All(part => Slides(part, analysis, factory));
    }
}
