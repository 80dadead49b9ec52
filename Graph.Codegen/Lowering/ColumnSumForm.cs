namespace Graphene.Codegen;

/// <summary>
/// A fusion that reduces the rows of a matrix, column by column, and may store elements of the matrix besides: the reductions, the results
/// made of them, and the elements, over two counters.
/// </summary>
internal sealed class ColumnSumForm
{
    private readonly FusionSource _source;
    private readonly ExprAnalysis _analysis;
    private readonly Func<ReductionFunction, bool> _accepts;
    private readonly List<ColumnSum> _sums = [];
    private readonly List<ColumnRoot> _roots = [];
    private readonly List<ColumnRoot> _elements = [];

    private ColumnSumForm(FusionSource source, ExprAnalysis analysis, Func<ReductionFunction, bool> accepts)
    {
        _source = source;
        _analysis = analysis;
        _accepts = accepts;
    }

    /// <summary>The reductions.</summary>
    public IReadOnlyList<ColumnSum> Sums => _sums;

    /// <summary>The results that have one element for a column.</summary>
    public IReadOnlyList<ColumnRoot> Roots => _roots;

    /// <summary>The results that have one element for a row and column.</summary>
    public IReadOnlyList<ColumnRoot> Elements => _elements;

    /// <summary>The loop over columns, which lie together in memory.</summary>
    public LoopGroup Columns { get; private set; } = null!;

    /// <summary>The loop over rows.</summary>
    public LoopGroup Rows { get; private set; } = null!;

    /// <summary>All that is read and stored.</summary>
    public IReadOnlyList<AffineIndex> Accesses { get; private set; } = [];

    /// <summary>What is computed for each row and column.</summary>
    public IEnumerable<ScalarExpr> PerElement => _sums.Select(s => s.Element).Concat(_elements.Select(e => e.Element));

    /// <summary>The type of the sums.</summary>
    public DType SumType => _sums[0].Function.Identity.DType;

    /// <summary>The blocks of rows that are summed apart.</summary>
    public Dim Blocks => Dim.CeilDiv(Rows.Extent, ExprEmitter.BlockLength);

    /// <summary>The form of a fusion; null when it has none.</summary>
    /// <param name="source">The fusion.</param>
    /// <param name="analysis">Facts about its expressions.</param>
    /// <param name="accepts">Which functions may be split into blocks of rows.</param>
    public static ColumnSumForm? TryRead(FusionSource source, ExprAnalysis analysis, Func<ReductionFunction, bool> accepts)
    {
        IReadOnlyList<Node> results = source.Body.Results;
        if (results.Count == 0 || results.MinBy(r => r.Rank) is not { Rank: > 0 } narrow)
        {
            return null;
        }
        IndexVariable[] columns = [.. narrow.Shape.Select((d, i) => source.Factory.Variable($"c{i}", d))];
        var form = new ColumnSumForm(source, analysis, accepts);
        bool isRead = form.TryReadSums(results, narrow.Shape, columns) && form.TryReadElements(results, narrow.Shape, columns);
        return isRead && form.Merge(columns)
            ? form
            : null;
    }

    /// <summary>Binds the counters of all rows to one.</summary>
    public void BindRow(ExprEmitter emitter, KExpr row)
    {
        foreach (ColumnSum sum in _sums)
        {
            foreach (IndexVariable variable in sum.Result.Loop.Variables)
            {
                emitter.Bind(variable, 0);
            }
            emitter.Bind(sum.Result.Loop.Variables[^1], row);
        }
    }

    /// <summary>How many bytes a load moves on when the row bound by <see cref="BindRow"/> does.</summary>
    public long RowStride(LoadExpr load)
    {
        var index = AffineIndex.Of(load);
        return _sums.Select(s => s.Result.Loop.Variables[^1]).Distinct().Sum(row => index[row].Value) * load.DType.SizeInBytes();
    }

    /// <summary>The counters of rows.</summary>
    public IReadOnlyCollection<ScalarExpr> RowVariables => [.. _sums.SelectMany(s => s.Result.Loop.Variables)];

    private bool TryReadSums(IReadOnlyList<Node> results, Shape shape, IndexVariable[] columns)
    {
        for (int i = 0; i < results.Count; i++)
        {
            if (!results[i].Shape.Equals(shape))
            {
                continue;
            }
            var at = IndexVector.From(columns);
            ScalarExpr element = _source.Element(results[i], at);
            LoopResultExpr[] sums = [.. ExprAnalysis.All([element]).OfType<LoopResultExpr>()];
            if (sums.Length == 0)
            {
                return false;
            }
            foreach (LoopResultExpr sum in sums.Where(s => !_sums.Exists(known => ReferenceEquals(known.Result, s))))
            {
                if (!TryAdd(sum))
                {
                    return false;
                }
            }
            _roots.Add(new ColumnRoot(element, AffineIndex.Of(at, results[i].Type), _source.Outputs[i]));
        }
        return true;
    }

    private bool TryAdd(LoopResultExpr sum)
    {
        if (sum.Loop is not { Combine: not null, Elements: [var element], Variables.Count: > 0 } loop ||
            ReductionFunction.Of(loop) is not { } function || !_accepts(function) ||
            ExprAnalysis.All([element]).Any(e => e is LoopResultExpr or GuardExpr) ||
            (_sums.Count > 0 && (function.Identity.DType != SumType ||
                !loop.Variables.Select(v => v.Extent).SequenceEqual(_sums[0].Result.Loop.Variables.Select(v => v.Extent)))))
        {
            return false;
        }
        _sums.Add(new ColumnSum(sum, element, function));
        return true;
    }

    // Results with rows of their own: the same rows and columns, and nothing that is reduced in them.
    private bool TryReadElements(IReadOnlyList<Node> results, Shape shape, IndexVariable[] columns)
    {
        IReadOnlyList<IndexVariable> rows = _sums[0].Result.Loop.Variables;
        for (int i = 0; i < results.Count; i++)
        {
            if (results[i].Shape.Equals(shape))
            {
                continue;
            }
            if (!results[i].Shape.SequenceEqual(rows.Concat(columns).Select(v => v.Extent)))
            {
                return false;
            }
            var at = IndexVector.From(rows.Concat(columns));
            ScalarExpr element = _source.Element(results[i], at);
            if (ExprAnalysis.All([element]).Any(e => e is LoopResultExpr or GuardExpr))
            {
                return false;
            }
            _elements.Add(new ColumnRoot(element, AffineIndex.Of(at, results[i].Type), _source.Outputs[i]));
        }
        return true;
    }

    // Rows are one loop and columns another, along memory, in everything that is read and written.
    private bool Merge(IndexVariable[] columns)
    {
        var all = new LoopMerging(_analysis, PerElement, [.. _roots.Select(r => r.Store), .. _elements.Select(e => e.Store)]);
        if (all.Merge(columns) is not [var merged] || _sums.Exists(s => all.Merge(s.Result.Loop.Variables).Count != 1))
        {
            return false;
        }
        Columns = merged;
        Rows = all.Merge(_sums[0].Result.Loop.Variables)[0];
        Accesses = all.Accesses;
        return all.Accesses.All(a => a[Columns.Last] == 0 || a[Columns.Last] == 1)
            && all.Accesses.Any(a => a[Columns.Last] == 1 && a[Rows.Last] != 0)
            && _sums.Select(s => s.Result.Loop.Initial[0]).All(e => !_analysis.DependsOn(e, columns));
    }
}

/// <summary>A result of a fusion of column sums.</summary>
/// <param name="Element">Its element.</param>
/// <param name="Store">Where that goes.</param>
/// <param name="Output">The buffer.</param>
internal sealed record ColumnRoot(ScalarExpr Element, AffineIndex Store, KBuffer Output);

/// <summary>A reduction of rows.</summary>
/// <param name="Result">The result of the loop.</param>
/// <param name="Element">What a row contributes.</param>
/// <param name="Function">How it is joined.</param>
internal sealed record ColumnSum(LoopResultExpr Result, ScalarExpr Element, ReductionFunction Function);
