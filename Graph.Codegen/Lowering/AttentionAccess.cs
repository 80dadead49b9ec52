using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>Where the elements of an attention composite lie, over one counter for each dimension of the scores and two more.</summary>
internal sealed class AttentionAccess
{
    private readonly IndexVariable[] _rows;

    public AttentionAccess(AttentionForm form, Node fusion)
    {
        Node products = form.Products;
        IndexVariable[] at = [];
        CarriedExpr? product = null;
        Source = new FusionSource(fusion, new KernelArguments(), _ => false, (node, _, index) =>
            !ReferenceEquals(node, products) ? null
            : index.SequenceEqual(at) ? product
            : throw new CompilerBugException("attention lowering", "a score depends on the product of another place"));
        at = [.. products.Shape.Select((d, i) => Source.Factory.Variable($"i{i}", d))];
        product = Source.Factory.Placeholder(products.DType);
        Product = product;
        _rows = at[..^1];
        Key = at[^1];
        var scored = (DotGeneralOp)products.Op;
        var weighted = (DotGeneralOp)form.Context.Op;
        (Node query, Node keys, Node values) = (products.Operands[0], products.Operands[1], form.Context.Operands[1]);
        Depth = Source.Factory.Variable("d", query.Shape[scored.LhsContracting[0]]);
        Column = Source.Factory.Variable("c", form.Context.Shape[^1]);
        Query = Operand(query, Left(scored, query.Rank, at, Depth));
        Keys = Operand(keys, Right(scored, query.Rank, keys.Rank, at, Depth));
        IndexVariable[] context =
            [.. weighted.LhsBatch.Select(axis => at[axis]), .. weighted.LhsFree(at.Length).Select(axis => at[axis]), Column];
        Values = Operand(values, Right(weighted, at.Length, values.Rank, context, Key));
        var result = IndexVector.From(context);
        result = form.Result.Op is TransposeOp transpose ? result.Permute(transpose.Permutation) : result;
        Result = AffineIndex.Of(result, form.Result.Type);
        Score = Source.Element(form.Scores, IndexVector.From(at));
    }

    /// <summary>The inside of the composite.</summary>
    public FusionSource Source { get; }

    /// <summary>Counts keys.</summary>
    public IndexVariable Key { get; }

    /// <summary>Counts the elements of a query, and of a key.</summary>
    public IndexVariable Depth { get; }

    /// <summary>Counts the elements of a value, and of a result.</summary>
    public IndexVariable Column { get; }

    /// <summary>Stands for a query times a key.</summary>
    public CarriedExpr Product { get; }

    /// <summary>The score, over <see cref="Product"/>.</summary>
    public ScalarExpr Score { get; }

    public (LoadExpr Load, AffineIndex Index) Query { get; }

    public (LoadExpr Load, AffineIndex Index) Keys { get; }

    public (LoadExpr Load, AffineIndex Index) Values { get; }

    /// <summary>Where the result goes.</summary>
    public AffineIndex Result { get; }

    /// <summary>
    /// The loops around: the innermost one over queries that share all keys and values (one round when there is none), and the
    /// others.
    /// </summary>
    public (IReadOnlyList<LoopGroup> Batch, LoopGroup Queries) Group(ExprAnalysis analysis)
    {
        var merging = new LoopMerging(analysis, [Query.Load, Keys.Load, Values.Load, Score], [Result]);
        bool Shares(IndexVariable v) => Keys.Index[v] == 0 && Values.Index[v] == 0;
        List<LoopGroup> queries = merging.Merge([.. _rows.Where(Shares)]);
        List<LoopGroup> batch = merging.Merge([.. _rows.Where(v => !Shares(v))]);
        return queries.Count == 0
            ? (batch, new LoopGroup(Source.Factory.Variable("one", 1)))
            : ([.. batch, .. queries.SkipLast(1)], queries[^1]);
    }

    /// <summary>Binds the counters of a batch, and 0 to all others.</summary>
    /// <param name="emitter">Where they are bound.</param>
    /// <param name="batch">The loops over the batch.</param>
    /// <param name="queries">The loop over queries.</param>
    /// <param name="number">The number of the batch.</param>
    public void BindBatch(ExprEmitter emitter, IReadOnlyList<LoopGroup> batch, LoopGroup queries, KExpr number)
    {
        for (int i = batch.Count - 1; i >= 0; i--)
        {
            KExpr extent = KBuilder.Value(batch[i].Extent);
            emitter.BindGroup(batch[i], i == 0 ? number : emitter.Builder.Let("i", KBuilder.Remainder(number, extent)));
            number = i == 0 ? number : emitter.Builder.Let("batch", KBuilder.Divide(number, extent));
        }
        emitter.BindGroup(queries, 0);
        foreach (IndexVariable variable in new[] { Key, Depth, Column })
        {
            emitter.Bind(variable, 0);
        }
    }

    private (LoadExpr Load, AffineIndex Index) Operand(Node node, IndexVector at)
    {
        if (Source.Element(node, at) is LoadExpr load && AffineIndex.Of(load) is { Opaque.Count: 0 } index)
        {
            return (load, index);
        }
        throw new CompilerBugException("attention lowering", $"{node} does not lie at sums of counters times strides");
    }

    private static IndexVector Left(DotGeneralOp op, int rank, IndexVariable[] at, IndexVariable k)
    {
        Axes free = op.LhsFree(rank);
        return Index(rank, op.LhsBatch, op.LhsContracting, axis => at[op.LhsBatch.Count + free.IndexOf(axis)], at, k);
    }

    private static IndexVector Right(DotGeneralOp op, int leftRank, int rank, IndexVariable[] at, IndexVariable k)
    {
        Axes free = op.RhsFree(rank);
        int first = op.LhsBatch.Count + op.LhsFree(leftRank).Count;
        return Index(rank, op.RhsBatch, op.RhsContracting, axis => at[first + free.IndexOf(axis)], at, k);
    }

    private static IndexVector Index(
        int rank, Axes batch, Axes contracting, Func<int, IndexVariable> free, IndexVariable[] at, IndexVariable k) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(
            axis => contracting.Contains(axis) ? k : batch.IndexOf(axis) is >= 0 and var b ? at[b] : free(axis)));
}
