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
/// depends on the number of keys alone.
/// </remarks>
internal sealed class AttentionLowering
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
        LoweredKernel lowered = new AttentionLowering(form, fusion, target).Run(name, fusion);
        return lowered with
        {
            Operands = [.. lowered.Operands.Select(o =>
                o is KernelOperand.Value v && ReferenceEquals(v.Node, fusion) ? v with { Node = node } : o)],
        };
    }

    private LoweredKernel Run(string name, Node fusion)
    {
        var task = new KVariable("task", KType.Index);
        KExpr blocks = KBuilder.CeilDiv(KBuilder.Value(_queries.Extent), Width);
        BindBatch(_b.Let("batch", KBuilder.Divide(task, blocks)));
        KExpr first = _b.Let("query0", KBuilder.Multiply(KBuilder.Remainder(task, blocks), Width));
        KExpr present = _b.Let("present", KBuilder.Minimum(KBuilder.Subtract(KBuilder.Value(_queries.Extent), first), Width));
        KBuffer packed = PackQueries(first, present);
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

    private void BindBatch(KExpr batch)
    {
        for (int i = _batch.Count - 1; i >= 0; i--)
        {
            KExpr extent = KBuilder.Value(_batch[i].Extent);
            _emitter.BindGroup(_batch[i], i == 0 ? batch : _b.Let("i", KBuilder.Remainder(batch, extent)));
            batch = i == 0 ? batch : _b.Let("batch", KBuilder.Divide(batch, extent));
        }
        _emitter.BindGroup(_queries, 0);
        foreach (IndexVariable variable in new[] { _access.Key, _access.Depth, _access.Column })
        {
            _emitter.Bind(variable, 0);
        }
    }

    // packed[d][lane] = query[first + lane][d]; lanes without a query hold the last one's, and nobody looks at their scores.
    private KBuffer PackQueries(KExpr first, KExpr present)
    {
        KBuffer packed = _b.Scratch("queries", _lanes.Element, (long)_depth * Width);
        KBuffer query = _source.Source(_access.Query.Load.Source);
        AffineIndex index = _access.Query.Index;
        KExpr start = _b.Let("from", KBuilder.Add(
            _emitter.EmitPosition(index), KBuilder.Multiply(first, KBuilder.Value(index[_queries.Last]))));
        Dim depthStride = index[_access.Depth];
        int lanes = _lanes.Lanes;
        KExpr From(KExpr lane) => _b.Let("from", KBuilder.Add(start, KBuilder.Multiply(
            AlwaysWhole ? lane : KBuilder.Minimum(lane, KBuilder.Subtract(present, 1)), KBuilder.Value(index[_queries.Last]))));
        int squares = depthStride == 1 && lanes > 1 ? _depth / lanes * lanes : 0;
        if (squares > 0)
        {
            _b.For("square", 0, Width, lanes, lane =>
            {
                KExpr[] from = [.. Enumerable.Range(0, lanes).Select(i => From(KBuilder.Add(lane, i)))];
                _b.For("d", 0, squares, lanes, d =>
                {
                    KExpr[] columns = VectorTranspose.Emit(
                        _b, [.. from.Select(f => _b.Let("row", new KLoad(query, KBuilder.Add(f, d), lanes)))]);
                    for (int i = 0; i < lanes; i++)
                    {
                        _b.Store(packed, KBuilder.Add(KBuilder.Multiply(KBuilder.Add(d, i), Width), lane), columns[i]);
                    }
                });
            });
        }
        if (squares < _depth)
        {
            _b.For("lane", 0, Width, 1, lane =>
            {
                KExpr from = From(lane);
                _b.For("d", squares, _depth, 1, d => _b.Store(
                    packed, KBuilder.Add(KBuilder.Multiply(d, Width), lane),
                    new KLoad(query, KBuilder.Add(from, KBuilder.Multiply(d, KBuilder.Value(depthStride))))), 8);
            });
        }
        return packed;
    }

    private bool AlwaysWhole => _queries.Extent.IsStatic && _queries.Extent.Value % Width == 0;

    private KExpr?[] Masks(KExpr present) => [.. Enumerable.Range(0, _vectors).Select(j => AlwaysWhole || _lanes.IsScalar
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

    // scores[key - begin][lane] for count keys; gives the largest of each lane.
    private KExpr[] EmitScores(QueryBlock block, KExpr begin, KExpr count)
    {
        KRegister[] max = [.. Enumerable.Range(0, _vectors).Select(_ => _b.Declare("max", Constant(Scalar.Lowest(_lanes.Element))))];
        if (!_terms.Any)
        {
            EmitScoreTiles(new KeyPart(begin, 0, count), block, max);
        }
        else if (count is KConstant { Value: var number } && (long)number.AsInteger <= _keysPerPart)
        {
            _terms.Prepare(block.First, block.Present, begin, count);
            EmitScoreTiles(new KeyPart(begin, 0, count), block, max);
        }
        else
        {
            _b.For("part", 0, count, _keysPerPart, part => _emitter.InScope(() =>
            {
                KExpr first = _b.Let("first", KBuilder.Add(begin, part));
                KExpr some = _b.Let("some", KBuilder.Minimum(KBuilder.Subtract(count, part), _keysPerPart));
                _terms.Prepare(block.First, block.Present, first, some);
                EmitScoreTiles(new KeyPart(first, part, some), block, max);
            }));
        }
        return [.. max.Select(m => _b.Let("max", new KRead(m)))];
    }

    private void EmitScoreTiles(KeyPart part, QueryBlock block, KRegister[] max)
    {
        int most = AttentionTiles.Rows(_vectors, _target);
        KExpr count = part.Count;
        KExpr from = 0;
        foreach (int rows in count is KConstant { Value: var number } ? [most, (int)((long)number.AsInteger % most)] : TileHeights(most))
        {
            if (rows == 0)
            {
                continue;
            }
            KExpr whole = _b.Let("whole", KBuilder.Add(
                from, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(count, from), rows), rows)));
            _b.For("key", from, whole, rows, key => EmitScoreTile(block, part, key, rows, max));
            from = whole;
        }
    }

    // What is left behind whole tiles is taken in smaller ones.
    private static int[] TileHeights(int most) => most > 4 ? [most, 4, 1] : [most, 1];

    private void EmitScoreTile(QueryBlock block, KeyPart part, KExpr place, int rows, KRegister[] max) => _emitter.InScope(() =>
    {
        var tile = new RegisterTile(_b, rows, _vectors, _lanes);
        (LoadExpr load, AffineIndex index) = _access.Keys;
        KBuffer keys = _source.Source(load.Source);
        KExpr key = _b.Let("key", KBuilder.Add(part.First, place));
        _emitter.Bind(_access.Key, key);
        KExpr start = _b.Let("keys", _emitter.EmitPosition(index));
        KExpr[] bases = [.. Enumerable.Range(0, rows).Select(
            i => _b.Let("a", KBuilder.Add(start, KBuilder.Multiply(i, KBuilder.Value(index[_access.Key])))))];
        KExpr stride = KBuilder.Value(index[_access.Depth]);
        _b.For("d", 0, _depth, 1, d => tile.Accumulate(
            i => new KLoad(keys, KBuilder.Add(bases[i], KBuilder.Multiply(d, stride))),
            j => new KLoad(block.Packed, KBuilder.Add(KBuilder.Multiply(d, Width), j * _lanes.Lanes), _lanes.Lanes)), 4);
        for (int j = 0; j < _vectors; j++)
        {
            var scores = new KExpr[rows];
            KExpr query = _b.Let("query", KBuilder.Add(block.First, j * _lanes.Lanes));
            for (int i = 0; i < rows; i++)
            {
                KExpr at = _b.Let("at", KBuilder.Add(place, i));
                KExpr product = _b.Let("product", tile[i, j]);
                _emitter.WithVector(_queries.Last, query, _lanes.Lanes, block.Masks[j], () =>
                {
                    _emitter.Bind(_access.Key, KBuilder.Add(key, i));
                    _emitter.Bind(_access.Product, product);
                    _terms.Bind(at, j);
                    scores[i] = _b.Let("score", _emitter.EmitLanes(_access.Score));
                    Scores.Store(KBuilder.Add(part.Place, at), j, scores[i]);
                });
            }
            _b.Assign(max[j], Larger(new KRead(max[j]), LargestOf(scores)));
        }
    });

    private KExpr LargestOf(ReadOnlySpan<KExpr> scores) => scores.Length == 1 ? scores[0] : _b.Let(
        "larger", Larger(LargestOf(scores[..(scores.Length / 2)]), LargestOf(scores[(scores.Length / 2)..])));

    // NaN may get lost here: one among the scores makes the sum of the exponentials NaN, and so all weights.
    private static KExpr Larger(KExpr a, KExpr b) => new KSelect(KBuilder.Less(b, a), a, b);

    // Adds weights times values of count keys to the running results, a few keys at a time: what several tiles read of weights
    // and values stays in the nearest cache.
    private void EmitContext(QueryBlock block, KExpr begin, KExpr count, Running running, IReadOnlyList<ScoreDivisor> divisors) =>
        _b.For("part", 0, count, KeysAtOnce, part => _emitter.InScope(() =>
        {
            KExpr some = _b.Let("some", KBuilder.Minimum(KBuilder.Subtract(count, part), KeysAtOnce));
            if (divisors.Count > 0)
            {
                Scores.EmitDivide(divisors, part, some);
            }
            EmitSums(block, KBuilder.Add(begin, part), part, some, running, (row, column, lanes, _, sum) =>
                _b.Store(running.Buffer, running.Place(row, column), sum));
        }));

    // Sums over keys, from zero or from running results, a tile at a time.
    private void EmitSums(
        QueryBlock block, KExpr firstKey, KExpr firstWeight, KExpr count, Running? running, Action<KExpr, KExpr, int, KExpr?, KExpr> use)
    {
        (int[] heights, int vectors) = AttentionTiles.Context(Width, _columns, _target, _lanes.Element);
        _emitter.Bind(_access.Key, firstKey);
        KExpr start = _b.Let("values", _emitter.EmitPosition(_access.Values.Index));
        AttentionTiles.ForEachPanel(_b, _columns, vectors, _target.Lanes(_lanes.Element), (column, lanes, masks) =>
        {
            int first = 0;
            foreach (int rows in heights)
            {
                KExpr query = first;
                void Tile() => _emitter.InScope(
                    () => EmitSumTile(new SumTile(query, rows, column, lanes, masks), start, firstWeight, count, running, use));
                if (AlwaysWhole || first == 0)
                {
                    Tile();
                }
                else
                {
                    _b.If(KBuilder.Less(query, block.Present), Tile);
                }
                first += rows;
            }
        });
    }

    private void EmitSumTile(
        SumTile at, KExpr start, KExpr firstWeight, KExpr count, Running? running, Action<KExpr, KExpr, int, KExpr?, KExpr> use)
    {
        (LoadExpr load, AffineIndex index) = _access.Values;
        KBuffer values = _source.Source(load.Source);
        Dim columnStride = index[_access.Column];
        KExpr keyStride = KBuilder.Value(index[_access.Key]);
        KExpr Row(int i) => KBuilder.Add(at.Query, i);
        KExpr Column(int j) => KBuilder.Add(at.Column, j * at.Lanes);
        var tile = new RegisterTile(_b, at.Rows, at.Masks.Length, _lanes with { Lanes = at.Lanes }, running is null
            ? null
            : (i, j) => new KLoad(running.Buffer, running.Place(Row(i), Column(j)), at.Lanes));
        KExpr from = _b.Let("from", KBuilder.Add(start, KBuilder.Multiply(at.Column, KBuilder.Value(columnStride))));
        _b.For("key", 0, count, 1, key =>
        {
            KExpr value = _b.Let("value", KBuilder.Add(from, KBuilder.Multiply(key, keyStride)));
            KExpr weight = _b.Let("weight", KBuilder.Add(firstWeight, key));
            tile.Accumulate(
                i => Scores.LoadLane(weight, Row(i)),
                j => LoadColumns(values, value, columnStride, j * at.Lanes, at.Lanes, at.Masks[j]));
        }, 4);
        for (int i = 0; i < at.Rows; i++)
        {
            for (int j = 0; j < at.Masks.Length; j++)
            {
                use(Row(i), _b.Let("column", Column(j)), at.Lanes, at.Masks[j], _b.Let("sum", tile[i, j]));
            }
        }
    }

    private static KExpr LoadColumns(KBuffer values, KExpr at, Dim stride, long first, int lanes, KExpr? mask)
    {
        KExpr distance = KBuilder.Value(stride);
        KExpr place = KBuilder.Add(at, KBuilder.Multiply(first, distance));
        return stride == 1 || lanes == 1
            ? new KLoad(values, place, lanes, mask)
            : new KGather(values, new KRamp(place, distance, lanes), mask);
    }

    private void StoreResult(QueryBlock block, KExpr row, KExpr column, int lanes, KExpr? mask, KExpr value)
    {
        if (AlwaysWhole)
        {
            StoreNow(block, row, column, lanes, mask, value);
        }
        else
        {
            _b.If(KBuilder.Less(row, block.Present), () => StoreNow(block, row, column, lanes, mask, value));
        }
    }

    private void StoreNow(QueryBlock block, KExpr row, KExpr column, int lanes, KExpr? mask, KExpr value) =>
        _emitter.WithVector(_access.Column, column, lanes, mask, () =>
        {
            _emitter.Bind(_queries.Last, KBuilder.Add(block.First, row));
            _emitter.Store(_source.Outputs[0], _access.Result, value);
        });

    /// <summary>The queries of a task.</summary>
    /// <param name="Packed">Their elements, lanes last.</param>
    /// <param name="First">The first one.</param>
    /// <param name="Present">How many there are.</param>
    /// <param name="Masks">For each vector the lanes that are queries; null for all.</param>
    private sealed record QueryBlock(KBuffer Packed, KExpr First, KExpr Present, KExpr?[] Masks);

    /// <summary>Keys whose scores are computed together.</summary>
    /// <param name="First">The first one.</param>
    /// <param name="Place">The row of scores that it has.</param>
    /// <param name="Count">How many there are.</param>
    private sealed record KeyPart(KExpr First, KExpr Place, KExpr Count);

    /// <summary>Results that are not complete yet, one row per query.</summary>
    private sealed record Running(KBuffer Buffer, int Row)
    {
        public KExpr Place(KExpr query, KExpr column) => KBuilder.Add(KBuilder.Multiply(query, Row), column);
    }

    /// <summary>A tile of results: from a query on so many rows, from a column on a vector per mask.</summary>
    private sealed record SumTile(KExpr Query, int Rows, KExpr Column, int Lanes, KExpr?[] Masks);
}
