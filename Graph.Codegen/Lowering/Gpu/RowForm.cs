namespace Graphene.Codegen;

/// <summary>
/// A fusion whose reductions all run along rows of one length: what is reduced, and what is stored, over one common counter of the row.
/// </summary>
internal sealed class RowForm
{
    private readonly FusionSource _source;
    private readonly LoopNest _nest;
    private readonly List<RowLoop> _loops = [];
    private readonly List<RowRoot> _roots = [];
    private readonly Dictionary<ScalarExpr, ScalarExpr> _placeholders = [];

    private RowForm(FusionSource source, LoopNest nest, Dim length)
    {
        _source = source;
        _nest = nest;
        Column = source.Factory.Variable("column", length);
    }

    /// <summary>The counter of a row's elements.</summary>
    public IndexVariable Column { get; }

    /// <summary>The loops over rows, those that walk memory as one joined; empty for a single row.</summary>
    public IReadOnlyList<LoopGroup> RowGroups { get; private set; } = [];

    /// <summary>The number of rows.</summary>
    public Dim Rows => RowGroups.Aggregate((Dim)1, (n, g) => n * g.Extent);

    /// <summary>The reductions, each after those that it needs.</summary>
    public IReadOnlyList<RowLoop> Loops => _loops;

    /// <summary>The results.</summary>
    public IReadOnlyList<RowRoot> Roots => _roots;

    /// <summary>How many times a row has to be reduced before its elements are known.</summary>
    public int Levels => _loops.Max(l => l.Level);

    /// <summary>The form of a fusion; null when it has none.</summary>
    public static RowForm? TryRead(FusionSource source, LoopNest nest)
    {
        LoopExpr[] loops = [.. nest.Loops.Distinct()];
        if (nest.Box is not null || loops.Length == 0)
        {
            return null;
        }
        Dim length = Length(loops[0].Variables);
        if (length == 0 || loops.Any(l => Length(l.Variables) != length))
        {
            return null;
        }
        var form = new RowForm(source, nest, length);
        return form.TryReadLoops(loops) && form.TryReadRoots() ? form : null;
    }

    private static Dim Length(IEnumerable<IndexVariable> variables) => variables.Aggregate((Dim)1, (n, v) => n * v.Extent);

    private bool TryReadLoops(LoopExpr[] loops)
    {
        var reductions = new Dictionary<LoopExpr, RowReduction>();
        bool isAlongMemory = false;
        foreach (LoopExpr loop in loops)
        {
            if (RowReduction.TryOf(loop, _source.Factory) is not { } reduction)
            {
                return false;
            }
            reductions.Add(loop, reduction);
            var merging = new LoopMerging(_nest.Analysis, loop.Elements!, []);
            IndexVariable inner = merging.Merge(loop.Variables)[^1].Last;
            isAlongMemory |= merging.Accesses.Any(a => a[inner] == 1);
        }
        if (!isAlongMemory)
        {
            return false;
        }
        foreach (LoopResultExpr result in _nest.Expressions.OfType<LoopResultExpr>().Where(r => reductions.ContainsKey(r.Loop)))
        {
            _placeholders.Add(result, _source.Factory.Placeholder(result.DType));
        }
        IndexVariable[] rows = [.. _nest.Shared.Where(v => loops.Any(l => _nest.DependsOn(l, v)))];
        var all = new LoopMerging(_nest.Analysis, _nest.Elements, _nest.Roots.Select(r => r.Store));
        RowGroups = rows.Length == 0 ? [] : all.Merge(rows);
        var known = new HashSet<ScalarExpr>(rows.Concat([Column, .. _placeholders.Values]));
        while (_loops.Count < loops.Length)
        {
            int before = _loops.Count;
            foreach (LoopExpr loop in loops.Where(l => !_loops.Exists(done => done.Loop == l)))
            {
                if (TryRead(loop, reductions[loop], known, out bool isReady) is { } read)
                {
                    _loops.Add(read);
                }
                else if (isReady)
                {
                    return false;
                }
            }
            if (_loops.Count == before)
            {
                return false;
            }
        }
        return true;
    }

    // Ready when the reductions that it needs have been read.
    private RowLoop? TryRead(LoopExpr loop, RowReduction reduction, HashSet<ScalarExpr> known, out bool isReady)
    {
        LoopExpr[] needed = [.. ExprAnalysis.All(loop.Elements!.Concat(loop.Initial)).OfType<LoopResultExpr>()
            .Where(_placeholders.ContainsKey).Select(r => r.Loop)];
        isReady = needed.All(n => _loops.Exists(done => done.Loop == n));
        if (!isReady)
        {
            return null;
        }
        var merging = new LoopMerging(_nest.Analysis, loop.Elements!, []);
        ExprSubstitution substitution = OnColumn(loop.Variables, merging);
        if (TryApply(substitution, loop.Elements!, known) is not { } elements ||
            TryApply(substitution, loop.Initial, known) is not { } initial ||
            initial.Any(e => _nest.Analysis.DependsOn(e, [Column])))
        {
            return null;
        }
        int level = needed.Select(n => _loops.Find(done => done.Loop == n)!.Level).DefaultIfEmpty(0).Max() + 1;
        ScalarExpr[] results =
        [
            .. Enumerable.Range(0, loop.Carried.Count).Select(i => _placeholders
                .FirstOrDefault(p => p.Key is LoopResultExpr r && r.Loop == loop && r.Result == i).Value
                ?? _source.Factory.Placeholder(loop.Carried[i].DType)),
        ];
        return new RowLoop(loop, reduction, elements, initial, results, level);
    }

    private bool TryReadRoots()
    {
        var rows = new HashSet<ScalarExpr>(RowGroups.SelectMany(g => g.Members));
        var known = new HashSet<ScalarExpr>(rows.Concat([Column, .. _placeholders.Values]));
        var merging = new LoopMerging(_nest.Analysis, _nest.Elements, _nest.Roots.Select(r => r.Store));
        for (int i = 0; i < _nest.Roots.Count; i++)
        {
            LoopRoot root = _nest.Roots[i];
            IndexVariable[] columns = [.. _nest.Shared.Where(v => !rows.Contains(v)), .. root.Own];
            if (columns.Length > 0 && Length(columns) != Column.Extent)
            {
                return false;
            }
            ExprSubstitution substitution = OnColumn(columns, merging);
            if (TryApply(substitution, [root.Element], known) is not [var element] ||
                TryApply(substitution, [.. root.At], known) is not { } at)
            {
                return false;
            }
            AffineIndex store = AffineIndex.Of(IndexVector.From(at), _source.Body.Results[i].Type);
            _roots.Add(new RowRoot(element, store, root.Output, columns.Length > 0));
        }
        return true;
    }

    // Counters that memory has as one become the common one, others its quotients and remainders.
    private ExprSubstitution OnColumn(IReadOnlyList<IndexVariable> variables, LoopMerging merging)
    {
        ExprFactory f = _source.Factory;
        var map = new Dictionary<ScalarExpr, ScalarExpr>(_placeholders);
        ScalarExpr rest = Column;
        List<LoopGroup> groups = merging.Merge(variables);
        for (int i = groups.Count - 1; i >= 0; i--)
        {
            foreach (IndexVariable member in groups[i].Members)
            {
                map.Add(member, f.Index(0));
            }
            ScalarExpr extent = f.Index(groups[i].Extent);
            map[groups[i].Last] = i == 0 ? rest : f.Remainder(rest, extent);
            rest = i == 0 ? rest : f.Divide(rest, extent);
        }
        return new ExprSubstitution(f, map);
    }

    private ScalarExpr[]? TryApply(ExprSubstitution substitution, IReadOnlyList<ScalarExpr> expressions, HashSet<ScalarExpr> known)
    {
        var applied = new ScalarExpr[expressions.Count];
        for (int i = 0; i < applied.Length; i++)
        {
            if (substitution.TryApply(expressions[i]) is not { } e || !_nest.Analysis.FreeVariables(e).IsSubsetOf(known))
            {
                return null;
            }
            applied[i] = e;
        }
        return applied;
    }
}

/// <summary>A reduction over a row.</summary>
/// <param name="Loop">As it was.</param>
/// <param name="Reduction">Its function.</param>
/// <param name="Elements">What the element at the common counter contributes.</param>
/// <param name="Initial">What joins last.</param>
/// <param name="Results">What stands for its results in other expressions.</param>
/// <param name="Level">One more than that of the reductions that it needs; 1 for none.</param>
internal sealed record RowLoop(
    LoopExpr Loop, RowReduction Reduction, ScalarExpr[] Elements, ScalarExpr[] Initial, ScalarExpr[] Results, int Level);

/// <summary>A result over rows.</summary>
/// <param name="Element">Its element, at the common counter.</param>
/// <param name="Store">Where that goes.</param>
/// <param name="Output">The buffer.</param>
/// <param name="HasColumns">Whether it has an element for each of the row; otherwise one for the row.</param>
internal sealed record RowRoot(ScalarExpr Element, AffineIndex Store, KBuffer Output, bool HasColumns);
