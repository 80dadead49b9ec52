namespace Graphene.Codegen;

/// <summary>
/// Joins neighbouring loops into one where every access walks memory as if they were one: [8,16,7,7] elementwise becomes a single
/// loop of 6272, a sum over H and W of NCHW a loop over channels and one over 49.
/// </summary>
/// <remarks>
/// In a merged group only the last counter remains, running over the product of the extents; the others are bound to 0. That is
/// right because each access has coefficient(i) = coefficient(i+1) * extent(i+1), and no counter of the group is used otherwise.
/// </remarks>
internal sealed class LoopMerging
{
    private readonly HashSet<ScalarExpr> _pinned = [];
    private readonly List<AffineIndex> _accesses = [];
    private readonly HashSet<ScalarExpr> _seen = [];
    private readonly ExprAnalysis _analysis;

    public LoopMerging(ExprAnalysis analysis, IEnumerable<ScalarExpr> expressions, IEnumerable<AffineIndex> stores)
    {
        _analysis = analysis;
        _accesses.AddRange(stores);
        foreach (ScalarExpr e in expressions)
        {
            Visit(e);
        }
    }

    /// <summary>All accesses found, stores first.</summary>
    public IReadOnlyList<AffineIndex> Accesses => _accesses;

    /// <summary>Cuts the loops, outermost first, into groups that are one loop each. Loops of one round join any group.</summary>
    public List<LoopGroup> Merge(IReadOnlyList<IndexVariable> variables)
    {
        var groups = new List<LoopGroup>();
        foreach (IndexVariable variable in variables)
        {
            if (groups.Count > 0 && CanJoin(groups[^1], variable))
            {
                groups[^1].Join(variable);
            }
            else
            {
                groups.Add(new LoopGroup(variable));
            }
        }
        return groups;
    }

    private bool CanJoin(LoopGroup group, IndexVariable inner)
    {
        IndexVariable outer = group.Last;
        if (group.Members.Any(_pinned.Contains) || _pinned.Contains(inner))
        {
            return false;
        }
        return _accesses.TrueForAll(a => a[outer] == a[inner] * inner.Extent);
    }

    private void Visit(ScalarExpr e)
    {
        if (e is IndexVariable)
        {
            _pinned.Add(e);
            return;
        }
        if (!_seen.Add(e))
        {
            return;
        }
        if (e is not LoadExpr load)
        {
            foreach (ScalarExpr part in ExprAnalysis.Parts(e))
            {
                Visit(part);
            }
            return;
        }
        AffineIndex index = AffineIndex.Of(load);
        _accesses.Add(index);
        foreach ((ScalarExpr term, _) in index.Opaque)
        {
            _pinned.UnionWith(_analysis.FreeVariables(term));
            Visit(term);
        }
    }
}

/// <summary>Loops that run as one.</summary>
internal sealed class LoopGroup(IndexVariable first)
{
    private readonly List<IndexVariable> _members = [first];

    /// <summary>The joined counters, outermost first.</summary>
    public IReadOnlyList<IndexVariable> Members => _members;

    /// <summary>The counter that remains.</summary>
    public IndexVariable Last => _members[^1];

    /// <summary>The number of rounds.</summary>
    public Dim Extent { get; private set; } = first.Extent;

    /// <summary>Adds the next inner loop.</summary>
    public void Join(IndexVariable inner)
    {
        _members.Add(inner);
        Extent *= inner.Extent;
    }
}
