using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Lowers attention for a GPU: a block of threads takes some queries of a batch and head, goes over all keys once, and keeps what it knows
/// of the softmax in registers (Dao, "FlashAttention-2", 2023, algorithm 1).
/// </summary>
/// <remarks>
/// <code>
/// task = (batch and head, part of the keys, block of queries)
///   queries -> shared memory; first keys on their way
///   for tile of keys                                             tiles that a causal mask hides from all queries are left out
///     values on their way                                        copied while scores are computed
///     s = f(queries * keys)                                      products of fragments, or of squares of registers
///     next keys on their way                                     copied while weights and results are computed
///     now = max(m, max s);  w = e^(s - now);  l = l e^(m - now) + sum w
///     o = o e^(m - now) + w * values
///   result = o / l                                               or o, m, l to memory, for the kernel that joins parts
/// </code>
/// A block reads its queries once, and keys and values once: 4 queries keys size flops for (queries + 2 keys blocks) size elements. With
/// 64 queries a block does 64 flops for each byte of f16 that it reads, mostly from the second cache, so products and exponentials are
/// the bound: of f16 about as many cycles each at size 64. Few queries (decoding) are bound by reading keys and values once; the
/// keys are then cut into parts of <see cref="KeysPerPart"/>, so that all multiprocessors read.
/// Sums are added in an order that the shape alone decides: the same bits every time and for every batch. They are not those of the
/// decomposition: rounding differs by about 1e-6 of the largest value for f32; for f16 and bf16 weights are rounded to that type
/// before they are divided instead of after, and their exponentials have 18 bits.
/// </remarks>
internal abstract partial class GpuAttentionLowering
{
    /// <summary>Keys of a part, where they are cut into parts.</summary>
    private const int KeysPerPart = 512;

    // So few queries leave most of the machine idle unless keys are cut.
    private const int FewQueries = 16;

    private readonly AttentionForm _form;
    private readonly IReadOnlyList<LoopGroup> _batch;
    private readonly LoopGroup _queries;
    private readonly GpuTarget _gpu;
    private readonly ExprAnalysis _analysis = new();
    private readonly bool _isCut;

    private protected GpuAttentionLowering(AttentionForm form, AttentionAccess access, GpuAttentionSizes sizes, GpuTarget gpu)
    {
        (_form, Access, Sizes, _gpu) = (form, access, sizes, gpu);
        Emitter = new ExprEmitter(B, _analysis, access.Source.Source);
        (_batch, _queries) = access.Group(_analysis);
        _isCut = _queries.Extent is { IsStatic: true, Value: <= FewQueries } &&
            access.Key.Extent is not { IsStatic: true, Value: <= KeysPerPart };
    }

    private protected KBuilder B { get; } = new();

    private protected ExprEmitter Emitter { get; }

    private protected AttentionAccess Access { get; }

    private protected GpuAttentionSizes Sizes { get; }

    private protected KVariable Thread { get; } = new("thread", KType.Index);

    /// <summary>How many queries a thread has scores of.</summary>
    private protected abstract int Rows { get; }

    /// <summary>How many scores of each.</summary>
    private protected abstract int Scores { get; }

    /// <summary>The distances of threads that have scores of the same queries.</summary>
    private protected abstract IReadOnlyList<int> Sharers { get; }

    /// <summary>Whether the thread is the first of those that have scores of the same queries.</summary>
    private protected abstract KExpr IsFirst { get; }

    /// <summary>The kernels of an attention composite; null when a block has no room.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="node">The composite.</param>
    /// <param name="target">The machine.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node node, KernelTarget target)
    {
        Computation body = ((CompositeOp)node.Op).Decomposition;
        AttentionForm form = AttentionForm.TryParse(body)
            ?? throw new CompilerBugException("attention lowering", $"{node} has not the form of attention");
        Node fusion = new GraphBuilder().Add(new FusionOp(FusionKind.Loop, body), node.Operands);
        var access = new AttentionAccess(form, fusion);
        Dim queries = access.Group(new ExprAnalysis()).Queries.Extent;
        GpuTarget gpu = target.Gpu!;
        return GpuAttentionSizes.Choose(
            access.Query.Load.DType, (int)access.Depth.Extent.Value, (int)access.Column.Extent.Value, queries, gpu) is not { } sizes
            ? null
            : [.. Create(form, access, sizes, gpu).Run(name, fusion).Select(k => k.With(fusion, node))];
    }

    /// <summary>Declares what the block shares besides tiles, and the sums of results.</summary>
    private protected abstract void Declare();

    /// <summary>A tile has arrived for all threads, and is read next.</summary>
    private protected virtual void Arrived(GpuAttentionTile tile)
    {
    }

    /// <summary>Reads what is kept of the queries from their tile.</summary>
    private protected abstract void ReadQueries(KBuffer queries);

    /// <summary>Which query of the block a row is.</summary>
    private protected abstract KExpr Row(int row);

    /// <summary>Which key of the tile a score is of.</summary>
    private protected abstract KExpr Key(int score);

    /// <summary>Products of queries and keys, by row and score.</summary>
    private protected abstract KExpr[][] EmitProducts(KBuffer keys);

    /// <summary>e to a power; of weights that are rounded further, it need not be exact.</summary>
    private protected abstract KExpr Exponential(KExpr power);

    /// <summary>Multiplies sums of results by a factor for each row, and adds weights times values.</summary>
    private protected abstract void EmitContext(KExpr[] factors, KExpr[][] weights, KBuffer values);

    /// <summary>Gives sums of results: the row, the first of some columns, and the sums of these columns.</summary>
    private protected abstract void ForEachSum(Action<int, KExpr, KExpr> use);

    private static GpuAttentionLowering Create(AttentionForm form, AttentionAccess access, GpuAttentionSizes sizes, GpuTarget gpu) =>
        sizes.UsesFragments ? new GpuFragmentAttention(form, access, sizes, gpu) : new GpuLaneAttention(form, access, sizes, gpu);

    private IEnumerable<LoweredKernel> Run(string name, Node fusion)
    {
        KernelArguments arguments = Access.Source.Arguments;
        var partial = new GpuAttentionParts(
            Access, _batch, _queries, KBuilder.CeilDiv(KBuilder.Value(Access.Key.Extent), KeysPerPart), KeysPerPart, Sizes);
        KBuffer? parts = _isCut ? arguments.Output("parts", Sizes.Sum, partial.Workspace) : null;
        var task = new KVariable("task", KType.Index);
        KExpr blocks = KBuilder.CeilDiv(KBuilder.Value(_queries.Extent), Sizes.Queries);
        KExpr batches = KBuilder.Value(_batch.Aggregate((Dim)1, (count, g) => count * g.Extent));
        KExpr count = KBuilder.Multiply(KBuilder.Multiply(batches, _isCut ? partial.Count : 1), blocks);
        EmitBody(task, blocks, partial, parts);
        Dim flops = _form.Products.Shape.ElementCount * ((2 * Sizes.Depth) + (2 * Sizes.Columns) + 20);
        Dim bytes = fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes);
        var kernel = new Kernel(name, arguments.Buffers, task, count, B.ToBlock(), new KernelCost(flops, bytes))
        {
            Threads = new KThreads(Thread, Sizes.Threads),
        };
        yield return new LoweredKernel(kernel, arguments.Operands);
        if (_isCut)
        {
            yield return partial.Join(name + "_join", fusion);
        }
    }

    private void EmitBody(KVariable task, KExpr blocks, GpuAttentionParts partial, KBuffer? parts)
    {
        KExpr keys = B.Let("keys", KBuilder.Value(Access.Key.Extent));
        KExpr rest = B.Let("rest", KBuilder.Divide(task, blocks));
        KExpr part = parts is null ? 0 : B.Let("part", KBuilder.Remainder(rest, partial.Count));
        KExpr batch = parts is null ? rest : B.Let("batch", KBuilder.Divide(rest, partial.Count));
        Access.BindBatch(Emitter, _batch, _queries, batch);
        AffineIndex? bound = GpuKeyBound.Find(Access.Score, Access.Key, _queries.Last);
        // Where later queries see more keys, their blocks go first: the shortest are left for the end.
        KExpr number = KBuilder.Remainder(task, blocks);
        number = bound is null ? number : KBuilder.Subtract(KBuilder.Subtract(blocks, 1), number);
        KExpr first = B.Let("query0", KBuilder.Multiply(number, Sizes.Queries));
        KExpr begin = parts is null ? 0 : B.Let("begin", KBuilder.Multiply(part, KeysPerPart));
        KExpr end = parts is null ? keys : B.Let("end", KBuilder.Minimum(KBuilder.Add(begin, KeysPerPart), keys));
        var block = new Block(
            first, [.. Enumerable.Range(0, Rows).Select(r => B.Let("row", KBuilder.Add(first, Row(r))))],
            begin, Visible(bound, first, end), keys);
        (KRegister[] max, KRegister[] sums) = EmitTiles(block);
        KExpr[] totals = [.. sums.Select(s => Joined(new KRead(s), KBuilder.Add))];
        if (parts is null)
        {
            ForEachSum((row, column, sum) => StoreResult(block, row, column, Quotient(sum, totals[row], keys)));
            return;
        }
        StoreParts(block, parts, KBuilder.Add(KBuilder.Multiply(batch, partial.Count), part), max, totals);
    }

    // How far the last query of a block sees.
    private KExpr Visible(AffineIndex? bound, KExpr first, KExpr end)
    {
        if (bound is null)
        {
            return end;
        }
        KExpr last = B.Let("last", KBuilder.Subtract(
            KBuilder.Minimum(KBuilder.Add(first, Sizes.Queries), KBuilder.Value(_queries.Extent)), 1));
        KExpr seen = end;
        Emitter.InScope(() =>
        {
            Emitter.Bind(_queries.Last, last);
            seen = B.Let("seen", KBuilder.Minimum(end, Emitter.EmitPosition(bound)));
        });
        return seen;
    }

    private (KRegister[] Max, KRegister[] Sums) EmitTiles(Block block)
    {
        (GpuAttentionTile queries, GpuAttentionTile keys, GpuAttentionTile values) = Tiles();
        Declare();
        KRegister[] m = [.. Enumerable.Range(0, Rows).Select(_ => B.Declare("max", Constant(Scalar.Lowest(Sizes.Sum))))];
        KRegister[] l = [.. Enumerable.Range(0, Rows).Select(_ => B.Declare("sum", Constant(Scalar.Zero(Sizes.Sum))))];
        KExpr? count = IsWhole(Access.Key.Extent, Sizes.Keys) ? null : block.Keys;
        queries.Copy(
            B, Thread, Sizes.Threads, block.First,
            IsWhole(_queries.Extent, Sizes.Queries) ? null : KBuilder.Value(_queries.Extent));
        B.If(KBuilder.Less(block.Begin, block.End), () => keys.Copy(B, Thread, Sizes.Threads, block.Begin, count));
        B.Add(new KAsyncCommit());
        B.Add(new KAsyncWait(0));
        B.Add(new KBarrier());
        Arrived(queries);
        ReadQueries(queries.Shared);
        B.For("key0", block.Begin, block.End, Sizes.Keys, key => Emitter.InScope(() =>
        {
            B.Add(new KAsyncWait(0));
            B.Add(new KBarrier());
            values.Copy(B, Thread, Sizes.Threads, key, count);
            B.Add(new KAsyncCommit());
            Arrived(keys);
            KExpr[][] products = EmitProducts(keys.Shared);
            B.Add(new KBarrier());
            KExpr next = B.Let("next", KBuilder.Add(key, Sizes.Keys));
            B.If(KBuilder.Less(next, block.End), () => keys.Copy(B, Thread, Sizes.Threads, next, count));
            B.Add(new KAsyncCommit());
            KExpr[][] scores = EmitScores(block, key, products, count);
            KExpr[] factors = [.. scores.Select((row, r) => EmitWeights(row, m[r], l[r]))];
            B.Add(new KAsyncWait(1));
            B.Add(new KBarrier());
            Arrived(values);
            EmitContext(factors, scores, values.Shared);
        }));
        return (m, l);
    }

    private (GpuAttentionTile Queries, GpuAttentionTile Keys, GpuAttentionTile Values) Tiles()
    {
        bool canCopy = _gpu.Architecture >= 80;
        IndexVariable query = _queries.Last;
        GpuAttentionTile queries = Tile("queries", Sizes.Queries, Sizes.DepthPitch, Sizes.PaddedDepth, Sizes.Depth);
        GpuAttentionTile keys = Tile("keys", Sizes.Keys, Sizes.DepthPitch, Sizes.PaddedDepth, Sizes.Depth);
        int width = AttentionTiles.RoundUp(Sizes.PaddedColumns, Sizes.Chunk);
        GpuAttentionTile values = Tile("values", Sizes.Keys, Sizes.ColumnPitch, width, Sizes.Columns);
        Begin(queries, Access.Query, query, Access.Depth);
        Begin(keys, Access.Keys, Access.Key, Access.Depth);
        Begin(values, Access.Values, Access.Key, Access.Column);
        return (queries, keys, values);

        void Begin(GpuAttentionTile tile, (LoadExpr Load, AffineIndex Index) access, IndexVariable row, IndexVariable column) =>
            tile.Begin(Emitter, Access.Source.Source(access.Load.Source), access.Index, row, column, canCopy);
    }

    private GpuAttentionTile Tile(string name, int rows, int pitch, int width, int columns)
    {
        KBuffer shared = Share(name, Sizes.Stored, (long)rows * pitch);
        return new GpuAttentionTile(shared, pitch, rows, width, columns);
    }

    /// <summary>Declares shared memory.</summary>
    private protected KBuffer Share(string name, DType element, long length)
    {
        KBuffer buffer = KBuffer.Shared(name, element, length);
        B.Add(new KScratch(buffer));
        return buffer;
    }

    private static bool IsWhole(Dim extent, int number) => extent.IsStatic && extent.Value % number == 0;

    private protected static KConstant Constant(Scalar value) => new(value, 1);

    /// <summary>What a task is about.</summary>
    /// <param name="First">The first query.</param>
    /// <param name="Rows">The queries of the thread's rows, some of which may not exist.</param>
    /// <param name="Begin">The first key.</param>
    /// <param name="End">Behind the last key.</param>
    /// <param name="Keys">How many keys there are at all.</param>
    private sealed record Block(KExpr First, KExpr[] Rows, KExpr Begin, KExpr End, KExpr Keys);
}
