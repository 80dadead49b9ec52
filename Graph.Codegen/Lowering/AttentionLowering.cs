using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Lowers attention as one kernel: the scores of a few queries stay in the cache from the first product to the second, and no
/// matrix of queries by keys is ever in memory.
/// </summary>
/// <remarks>
/// <code>
/// task = (batch and head, block of queries)
///   pack the block's queries, transposed: lanes are queries
///   scores[key][lane] = f(sum over d of key[d] * query[d][lane])      register tiles of keys by queries, mask and scale on the sums
///   m = max, e = exp(s - m), p = e / sum of e                         down the keys, all lanes at once
///   result[query] = sum over keys of p[key][query] * value[key]       register tiles of queries by value columns
/// </code>
/// With queries in lanes, keys and values are read where they lie, with any strides (only value columns should be consecutive),
/// and nothing of the softmax crosses lanes. The steps are those of the decomposition in its order, sums in 32 interleaved parts
/// included, so the bits are the same too. More than <see cref="MostKeys"/> keys are taken in chunks: maxima and sums are
/// carried from chunk to chunk and results scaled when the maximum rises, which changes rounding. Which of the two happens
/// depends on the number of keys alone. Where a block is one query, lanes are keys, with the same sums.
/// </remarks>
internal sealed partial class AttentionLowering
{
    /// <summary>The keys whose scores are held at once; part of the numerics contract, so the same on every machine.</summary>
    public const int MostKeys = 4096;

    // Weights and values of so many keys fit the nearest cache, 16 queries and 16 columns wide.
    private const int KeysAtOnce = 128;

    // Tiles of scores that what is prepared for them serves.
    private const int TilesPerPart = 16;

    private const int LargestScoresInBytes = 256 * 1024;

    private readonly AttentionForm _form;
    private readonly FusionSource _source;
    private readonly KernelTarget _target;
    private readonly KBuilder _b = new();
    private readonly ExprEmitter _emitter;
    private readonly AttentionAccess _access;
    private readonly IReadOnlyList<LoopGroup> _batch;
    private readonly LoopGroup _queries;
    private readonly KType _lanes;
    private readonly int _vectors;
    private readonly int _depth;
    private readonly int _columns;
    private readonly Dim _keys;
    private readonly AttentionTerms _terms;
    private readonly AttentionQueries _packing;
    private readonly int _keysPerPart;

    private AttentionLowering(AttentionForm form, Node fusion, KernelTarget target)
    {
        _form = form;
        _target = target;
        _access = new AttentionAccess(form, fusion);
        _source = _access.Source;
        var analysis = new ExprAnalysis();
        _emitter = new ExprEmitter(_b, analysis, _source.Source);
        (_batch, _queries) = _access.Group(analysis);
        _depth = (int)_access.Depth.Extent.Value;
        _columns = (int)_access.Column.Extent.Value;
        _keys = _access.Key.Extent;
        DType type = form.Products.DType;
        int most = target.Lanes(type);
        long queries = _queries.Extent.IsStatic ? Math.Max(1, _queries.Extent.Value) : long.MaxValue;
        _lanes = new KType(type, queries >= most ? most : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)queries));
        bool fits = 2L * most * HeldKeys * type.SizeInBytes() <= LargestScoresInBytes;
        _vectors = queries > most && fits ? 2 : 1;
        Scores = new AttentionScoreBlock(_b, _lanes, _vectors, HeldKeys);
        _terms = new AttentionTerms(_emitter, _access, _queries, _lanes, _vectors);
        _packing = new AttentionQueries(_emitter, _access, _queries, _lanes, _vectors);
        int together = AttentionTiles.Rows(_vectors, target) * TilesPerPart;
        _keysPerPart = _keys is { IsStatic: true, Value: var count } && count <= together ? (int)Math.Max(1, count) : together;
    }

    private AttentionScoreBlock Scores { get; }

    private int Width => _lanes.Lanes * _vectors;

    private int HeldKeys => _keys is { IsStatic: true, Value: <= MostKeys } ? (int)Math.Max(1, _keys.Value) : MostKeys;

    /// <summary>The kernel of an attention composite.</summary>
    public static LoweredKernel Lower(string name, Node node, KernelTarget target)
    {
        Computation body = ((CompositeOp)node.Op).Decomposition;
        AttentionForm form = AttentionForm.TryParse(body)
            ?? throw new CompilerBugException("attention lowering", $"{node} has not the form of attention");
        Node fusion = new GraphBuilder().Add(new FusionOp(FusionKind.Loop, body), node.Operands);
        return new AttentionLowering(form, fusion, target).Run(name, fusion).With(fusion, node);
    }

    private LoweredKernel Run(string name, Node fusion)
    {
        var task = new KVariable("task", KType.Index);
        KExpr blocks = KBuilder.CeilDiv(KBuilder.Value(_queries.Extent), Width);
        _access.BindBatch(_emitter, _batch, _queries, _b.Let("batch", KBuilder.Divide(task, blocks)));
        KExpr first = _b.Let("query0", KBuilder.Multiply(KBuilder.Remainder(task, blocks), Width));
        KExpr present = _b.Let("present", KBuilder.Minimum(KBuilder.Subtract(KBuilder.Value(_queries.Extent), first), Width));
        KBuffer packed = _packing.Emit(first, present);
        Scores.Declare();
        _terms.Declare(_keysPerPart);
        KExpr keys = KBuilder.Value(_keys);
        var block = new QueryBlock(packed, first, present, Masks(present));
        if (_keys is { IsStatic: true, Value: <= MostKeys })
        {
            EmitAtOnce(block, keys);
        }
        else if (_keys.IsStatic)
        {
            EmitInChunks(block, keys);
        }
        else
        {
            _b.If(
                KBuilder.Call(ScalarOp.LessOrEqual, keys, MostKeys), () => EmitAtOnce(block, keys), () => EmitInChunks(block, keys));
        }
        Dim batches = _batch.Aggregate((Dim)1, (count, g) => count * g.Extent);
        Dim flops = _form.Products.Shape.ElementCount * ((2 * _depth) + (2 * _columns) + 20);
        Dim bytes = fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        KExpr taskCount = KBuilder.Multiply(KBuilder.Value(batches), blocks);
        KernelArguments arguments = _source.Arguments;
        var kernel = new Kernel(name, arguments.Buffers, task, taskCount, _b.ToBlock(), new KernelCost(flops, bytes));
        return new LoweredKernel(kernel, arguments.Operands);
    }

    private KExpr?[] Masks(KExpr present) => [.. Enumerable.Range(0, _vectors).Select(j => _packing.IsAlwaysWhole || _lanes.IsScalar
        ? null
        : _b.Let("mask", KBuilder.Less(
            new KRamp(j * _lanes.Lanes, 1, _lanes.Lanes), KBuilder.Broadcast(present, _lanes.Lanes))))];

    // All scores of a query are there before the first weight is computed: the steps of the definition.
    private void EmitAtOnce(QueryBlock block, KExpr keys) => _emitter.InScope(() =>
    {
        KExpr[] max = EmitScores(block, 0, keys);
        ScoreDivisor[] divisors = [.. max.Select(
            (m, j) => new ScoreDivisor(_b, Scores.EmitExponentials(j, keys, m, _target), _target))];
        if (_keys is { IsStatic: true, Value: <= KeysAtOnce })
        {
            Scores.EmitDivide(divisors, 0, keys);
            EmitSums(block, 0, 0, keys, null, (row, column, lanes, mask, sum) => StoreResult(block, row, column, lanes, mask, sum));
            return;
        }
        Running running = DeclareRunning();
        EmitContext(block, 0, keys, running, divisors);
        ForEachResult(block, running, (_, value) => value);
    });

    // Chunks of keys, with the running maximum m, the running sum l and the running result, which is not divided yet.
    private void EmitInChunks(QueryBlock block, KExpr keys) => _emitter.InScope(() =>
    {
        Running running = DeclareRunning();
        KBuffer factors = _b.Scratch("factors", _lanes.Element, Width);
        KBuffer sums = _b.Scratch("sums", _lanes.Element, Width);
        KRegister[] max = [.. Enumerable.Range(0, _vectors).Select(_ => _b.Declare("max", Constant(Scalar.Lowest(_lanes.Element))))];
        _b.For("i", 0, Width, 1, i => _b.Store(sums, i, new KConstant(Scalar.Zero(_lanes.Element), 1)));
        _b.For("chunk", 0, keys, MostKeys, begin => _emitter.InScope(() =>
        {
            KExpr count = _b.Let("count", KBuilder.Minimum(KBuilder.Subtract(keys, begin), MostKeys));
            KExpr[] ofChunk = EmitScores(block, begin, count);
            for (int j = 0; j < _vectors; j++)
            {
                EmitChunkWeights(j, count, max[j], ofChunk[j], factors, sums);
            }
            int lanes = _target.Lanes(_lanes.Element);
            _b.For("query", 0, Width, 1, query =>
            {
                KExpr factor = _b.Let("factor", KBuilder.Broadcast(new KLoad(factors, query), lanes));
                _b.For("column", 0, running.Row, lanes, column =>
                {
                    KExpr place = _b.Let("place", running.Place(query, column));
                    _b.Store(running.Buffer, place, KBuilder.Multiply(new KLoad(running.Buffer, place, lanes), factor));
                });
            });
            EmitContext(block, begin, count, running, []);
        }));
        ForEachResult(block, running, (query, value) => KBuilder.Divide(
            value, KBuilder.Broadcast(new KLoad(sums, query), value.Type.Lanes)));
    });

    private Running DeclareRunning()
    {
        int lanes = _target.Lanes(_lanes.Element);
        int row = AttentionTiles.RoundUp(_columns, lanes);
        var running = new Running(_b.Scratch("running", _lanes.Element, (long)Width * row), row);
        _b.For("i", 0, (long)Width * row, lanes, i => _b.Store(
            running.Buffer, i, new KConstant(Scalar.Zero(_lanes.Element), lanes)));
        return running;
    }

    private void ForEachResult(QueryBlock block, Running running, Func<KExpr, KExpr, KExpr> value) =>
        AttentionTiles.ForEachPanel(_b, _columns, 1, _target.Lanes(_lanes.Element), (column, lanes, masks) =>
            _b.For("query", 0, block.Present, 1, query => _emitter.InScope(() =>
            {
                KExpr sum = _b.Let("sum", new KLoad(running.Buffer, running.Place(query, column), lanes));
                StoreNow(block, query, column, lanes, masks[0], value(query, sum));
            })));

    private void EmitChunkWeights(int j, KExpr count, KRegister max, KExpr ofChunk, KBuffer factors, KBuffer sums)
    {
        KExpr before = _b.Let("before", new KRead(max));
        KExpr now = _b.Let("now", KBuilder.Maximum(before, ofChunk));
        // While all scores are minus infinity, any finite number serves: weights become 0, not NaN.
        KExpr isNone = KBuilder.Call(ScalarOp.Equal, now, Constant(Scalar.Lowest(_lanes.Element)));
        KExpr shift = _b.Let("shift", new KSelect(isNone, Constant(Scalar.Zero(_lanes.Element)), now));
        KExpr factor = _b.Let("factor", KBuilder.Call(ScalarOp.Exponential, KBuilder.Subtract(before, shift)));
        KExpr place = j * _lanes.Lanes;
        KExpr ofWeights = Scores.EmitExponentials(j, count, shift, _target);
        KExpr sum = KBuilder.FusedMultiplyAdd(new KLoad(sums, place, _lanes.Lanes), factor, ofWeights);
        _b.Store(sums, place, sum);
        _b.Store(factors, place, factor);
        _b.Assign(max, now);
    }

    private KConstant Constant(Scalar value) => new(value, _lanes.Lanes);

    /// <summary>The queries of a task.</summary>
    /// <param name="Packed">Their elements, lanes last.</param>
    /// <param name="First">The first one.</param>
    /// <param name="Present">How many there are.</param>
    /// <param name="Masks">For each vector the lanes that are queries; null for all.</param>
    private sealed record QueryBlock(KBuffer Packed, KExpr First, KExpr Present, KExpr?[] Masks);
}
