using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// The loops of a fusion, before a machine is asked: an expression for the element of each result, counters for the dimensions that all
/// results share and for those that each has alone, and which of them stand outside of the others.
/// </summary>
internal sealed class LoopNest
{
    private readonly FusionSource _source;
    private readonly List<LoopRoot> _roots = [];

    /// <param name="source">The fusion.</param>
    /// <param name="box">What the fusion replaces of an operand, when that is all it writes.</param>
    /// <param name="analysis">Facts about the expressions.</param>
    /// <param name="takesPieces">
    /// Whether rows of a concatenation are walked piece by piece, so that nobody asks which piece an element is of.
    /// </param>
    public LoopNest(FusionSource source, UpdatedBox? box, ExprAnalysis analysis, bool takesPieces = false)
    {
        _source = source;
        Box = box;
        Analysis = analysis;
        Computed = box is null ? source.Body.Results : [box.Update];
        Shared = takesPieces && box is null && Joined() is { } join ? MakePieces(join) : MakeRoots();
    }

    /// <summary>What the fusion replaces of an operand; null when it writes its results whole.</summary>
    public UpdatedBox? Box { get; }

    /// <summary>Facts about the expressions.</summary>
    public ExprAnalysis Analysis { get; }

    /// <summary>The nodes whose elements are computed: the results, or what goes into the box.</summary>
    public IReadOnlyList<Node> Computed { get; }

    /// <summary>One for each result.</summary>
    public IReadOnlyList<LoopRoot> Roots => _roots;

    /// <summary>The counters of the dimensions that all results begin with.</summary>
    public IReadOnlyList<IndexVariable> Shared { get; }

    /// <summary>The element of each result.</summary>
    public IEnumerable<ScalarExpr> Elements => _roots.Select(r => r.Element);

    /// <summary>Everything that the elements are made of.</summary>
    public IEnumerable<ScalarExpr> Expressions => ExprAnalysis.All(Elements);

    /// <summary>Everything that is read.</summary>
    public IEnumerable<LoadExpr> Loads => Expressions.OfType<LoadExpr>();

    /// <summary>The loops inside of the elements that have counters.</summary>
    public IEnumerable<LoopExpr> Loops =>
        Expressions.OfType<LoopResultExpr>().Select(e => e.Loop).Where(loop => loop.Variables.Count > 0);

    /// <summary>Whether what a loop computes changes with a counter.</summary>
    public bool DependsOn(LoopExpr loop, IndexVariable variable) =>
        loop.Next.Concat(loop.Initial).Any(e => Analysis.DependsOn(e, [variable]));

    /// <summary>What one whole run costs.</summary>
    public KernelCost Cost(Node fusion)
    {
        Dim elements = Computed.Aggregate((Dim)0, (sum, r) => sum + r.Shape.ElementCount);
        IEnumerable<TensorType> touched =
            Box is null ? fusion.Operands.Select(o => o.Type).Concat(fusion.Types) : [Box.Update.Type, Box.Update.Type];
        Dim bytes = touched.Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        return new KernelCost(elements * _source.Body.PostOrder().Sum(FlopsOf), bytes);
    }

    /// <summary>Which loops are outside, which is the one in vector lanes, and which are inside of that.</summary>
    public LoopPlan Plan()
    {
        var merging = new LoopMerging(Analysis, Elements, _roots.Select(r => r.Store));
        bool sameShape = _roots.TrueForAll(r => r.Own.Count == 0);
        LoopExpr[] loops = [.. Loops];
        IndexVariable[] outer = [.. Shared.Where(v => loops.Length == 0 || loops.Any(l => DependsOn(l, v)))];
        if (!sameShape || Shared.Count == 0)
        {
            return new LoopPlan(merging, merging.Merge(Shared), null, []);
        }
        IndexVariable last = Shared[^1];
        if (outer.Length > 0 && outer[^1] == last && ReducesAlongMemory(merging, last))
        {
            return new LoopPlan(merging, merging.Merge(Shared), null, []);
        }
        if (outer.Length == Shared.Count)
        {
            List<LoopGroup> groups = merging.Merge(Shared);
            return new LoopPlan(merging, [.. groups.SkipLast(1)], groups[^1], []);
        }
        IndexVariable[] rest = [.. Shared.Except(outer)];
        if (outer.Contains(last))
        {
            return new LoopPlan(merging, merging.Merge([.. outer.SkipLast(1)]), new LoopGroup(last), merging.Merge(rest));
        }
        List<LoopGroup> inner = merging.Merge(rest);
        return new LoopPlan(merging, merging.Merge(outer), inner[^1], [.. inner.SkipLast(1)]);
    }

    private static int FlopsOf(Node node) => node.Op switch
    {
        ParameterOp or ConstantOp => 0,
        { IsElementwise: true, IsExpensive: true } => ElementwiseFn.ExpensiveFlops,
        _ => 1,
    };

    // Every result gets counters of its own; those of the dimensions that all results begin with are shared.
    private IndexVariable[] MakeRoots()
    {
        Shape widest = Computed.MaxBy(r => r.Rank)!.Shape;
        int shared = Enumerable.Range(0, Computed.Min(r => r.Rank < widest.Rank ? KeptRank(r) : r.Rank) + 1).Reverse()
            .First(n => Computed.All(r => r.Shape.Take(n).SequenceEqual(widest.Take(n))));
        ScalarExpr[] sharedAt = Counters(widest.Take(shared), "i");
        for (int i = 0; i < Computed.Count; i++)
        {
            ScalarExpr[] own = Counters(Computed[i].Shape.Skip(shared), "o");
            IndexVector at = IndexVector.From([.. sharedAt, .. own]);
            IndexVector place = Box?.Place(_source.Factory, at) ?? at;
            _roots.Add(new LoopRoot(
                _source.Element(Computed[i], at), [.. own.OfType<IndexVariable>()],
                AffineIndex.Of(place, _source.Body.Results[i].Type), place, _source.Outputs[i]));
        }
        return [.. sharedAt.OfType<IndexVariable>()];
    }

    // How many dimensions a result begins with that are those of what it is computed from: behind a reduced one, equal sizes say nothing.
    private static int KeptRank(Node result) => result.Op switch
    {
        ReduceOp reduce => reduce.Dimensions.Min(),
        GetTupleElementOp when result.Operands[0].Op is ReduceOp several => several.Dimensions.Min(),
        { IsElementwise: true } => result.Operands.Where(o => o.Rank == result.Rank).Select(KeptRank).Append(result.Rank).Min(),
        _ => result.Rank,
    };

    // The concatenation along the fastest dimension of results of one shape whose pieces are long enough for loops of their own.
    private Node? Joined()
    {
        Node[] joins = [.. _source.Body.PostOrder().Where(n => n.Op is ConcatenateOp)];
        return joins is [var join] && Sealing.HasPiecesInRows(join) && Computed.All(r => r.Shape.Equals(join.Shape)) ? join : null;
    }

    // Each piece has a counter of its own. Its range says that all other pieces are elsewhere, and the questions for them fold.
    private IndexVariable[] MakePieces(Node join)
    {
        ScalarExpr[] rows = Counters(join.Shape.SkipLast(1), "i");
        for (int i = 0; i < Computed.Count; i++)
        {
            long start = 0;
            foreach (Node operand in join.Operands)
            {
                IndexVariable own = _source.Factory.Variable("o", operand.Shape[^1]);
                IndexVector at = IndexVector.From([.. rows, _source.Factory.Add(own, _source.Factory.Index(start))]);
                _roots.Add(new LoopRoot(
                    _source.Element(Computed[i], at), [own], AffineIndex.Of(at, _source.Body.Results[i].Type), at, _source.Outputs[i]));
                start += operand.Shape[^1].Value;
            }
        }
        return [.. rows.OfType<IndexVariable>()];
    }

    // A dimension of size 1 needs no counter, and without one it stands in the way of nothing.
    private ScalarExpr[] Counters(IEnumerable<Dim> dims, string name) =>
        [.. dims.Select((d, i) => d == 1 ? _source.Factory.Index(0) : _source.Factory.Variable($"{name}{i}", d))];

    // True when the elements are reductions over consecutive elements that are many enough for lanes of their own.
    private bool ReducesAlongMemory(LoopMerging merging, IndexVariable last)
    {
        foreach (LoopExpr loop in Loops)
        {
            if (loop is not { Combine: not null, Elements: { } elements } || !Analysis.DependsOn(loop.Next[0], [last]))
            {
                continue;
            }
            LoopGroup inner = new LoopMerging(Analysis, elements, []).Merge(loop.Variables)[^1];
            bool isFew = inner.Extent is { IsStatic: true, Value: < ExprEmitter.FewElements };
            if (!isFew && merging.Accesses.Any(a => a[inner.Last] == 1 && a[last] != 1))
            {
                return true;
            }
        }
        return false;
    }
}

/// <summary>One result of a fusion.</summary>
/// <param name="Element">Its element.</param>
/// <param name="Own">The counters of dimensions that it does not share with all results.</param>
/// <param name="Store">Where the element goes.</param>
/// <param name="At">The same as an index.</param>
/// <param name="Output">The buffer.</param>
internal sealed record LoopRoot(
    ScalarExpr Element, IReadOnlyList<IndexVariable> Own, AffineIndex Store, IndexVector At, KBuffer Output);

/// <summary>The order of the loops.</summary>
/// <param name="Merging">Tells which neighbouring loops are one.</param>
/// <param name="Outer">Loops around everything.</param>
/// <param name="Inner">The loop in vector lanes; null when each result has its own loops.</param>
/// <param name="Serial">Loops inside of that.</param>
internal sealed record LoopPlan(
    LoopMerging Merging, IReadOnlyList<LoopGroup> Outer, LoopGroup? Inner, IReadOnlyList<LoopGroup> Serial);
