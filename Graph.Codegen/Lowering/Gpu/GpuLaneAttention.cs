using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>Attention whose products are multiply-adds of single numbers: f32, f64, and all types on GPUs without fragments.</summary>
/// <remarks>
/// <code>
/// 16 neighbouring threads share some queries; thread t of them has keys t, t + 16, .. and columns v t .. v t + v - 1 of every 16 v
///   for 16 bytes of d:   s[query][key] += q[query][d] * k[key][d]       queries are broadcast, keys lie in different banks
///   weights -> shared memory, read again by the same warp
///   for 16 bytes of keys: o[query][column] += w[query][key] * v[key][column]
/// </code>
/// 8 queries and 4 keys per thread: 12 reads of 16 bytes for 128 multiply-adds, which take longer than the reads.
/// </remarks>
internal sealed class GpuLaneAttention : GpuAttentionLowering
{
    private readonly List<KRegister[]> _sums = [];
    private KBuffer? _weights;
    private KBuffer? _queries;
    private KExpr _group = 0;
    private KExpr _lane = 0;

    public GpuLaneAttention(AttentionForm form, AttentionAccess access, GpuAttentionSizes sizes, GpuTarget gpu)
        : base(form, access, sizes, gpu)
    {
        _group = B.Let("group", KBuilder.Divide(Thread, GpuAttentionSizes.ThreadsPerRow));
        _lane = B.Let("lane", KBuilder.Remainder(Thread, GpuAttentionSizes.ThreadsPerRow));
    }

    private protected override int Rows => Sizes.RowsPerThread;

    private protected override int Scores => Sizes.Keys / GpuAttentionSizes.ThreadsPerRow;

    private protected override IReadOnlyList<int> Sharers => [1, 2, 4, 8];

    private protected override KExpr IsFirst => KBuilder.Call(ScalarOp.Equal, _lane, 0);

    private protected override void Declare()
    {
        _weights = Share("weights", Sizes.Sum, (long)Sizes.Queries * Sizes.WeightPitch);
        var zero = new KConstant(Scalar.Zero(Sizes.Sum), Sizes.ColumnLanes);
        for (int r = 0; r < Rows; r++)
        {
            _sums.Add([.. Enumerable.Range(0, Sizes.ColumnVectors).Select(_ => B.Declare("o", zero))]);
        }
    }

    private protected override void ReadQueries(KBuffer queries) => _queries = queries;

    // The two groups of a warp have neighbouring rows, which lie in different banks.
    private protected override KExpr Row(int row) => KBuilder.Add(_group, row * Sizes.GroupsOfThreads);

    private protected override KExpr Key(int score) => KBuilder.Add(_lane, score * GpuAttentionSizes.ThreadsPerRow);

    private protected override KExpr[][] EmitProducts(KBuffer keys)
    {
        KRegister[][] products = [.. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, Scores)
            .Select(_ => B.Declare("s", Constant(Scalar.Zero(Sizes.Sum)))).ToArray())];
        KExpr[] rows = [.. Enumerable.Range(0, Rows).Select(r => B.Let("q0", KBuilder.Multiply(Row(r), Sizes.DepthPitch)))];
        KExpr[] columns = [.. Enumerable.Range(0, Scores).Select(s => B.Let("k0", KBuilder.Multiply(Key(s), Sizes.DepthPitch)))];
        B.For("d", 0, Sizes.PaddedDepth, Sizes.Chunk, d =>
        {
            KExpr[] q = [.. rows.Select(r => Read("q", _queries!, KBuilder.Add(r, d), Sizes.Chunk))];
            for (int s = 0; s < Scores; s++)
            {
                KExpr k = Read("k", keys, KBuilder.Add(columns[s], d), Sizes.Chunk);
                for (int r = 0; r < Rows; r++)
                {
                    KExpr sum = new KRead(products[r][s]);
                    for (int i = 0; i < Sizes.Chunk; i++)
                    {
                        sum = KBuilder.FusedMultiplyAdd(new KShuffle(q[r], [i]), new KShuffle(k, [i]), sum);
                    }
                    B.Assign(products[r][s], sum);
                }
            }
        });
        return [.. products.Select(row => row.Select(p => B.Let("product", new KRead(p))).ToArray())];
    }

    private protected override KExpr Exponential(KExpr power) => B.Let("e", KBuilder.Call(ScalarOp.Exponential, power));

    private protected override void EmitContext(KExpr[] factors, KExpr[][] weights, KBuffer values)
    {
        KExpr[] rows = [.. Enumerable.Range(0, Rows).Select(r => B.Let("w0", KBuilder.Multiply(Row(r), Sizes.WeightPitch)))];
        for (int r = 0; r < Rows; r++)
        {
            for (int s = 0; s < Scores; s++)
            {
                B.Store(_weights!, KBuilder.Add(rows[r], Key(s)), weights[r][s]);
            }
            foreach (KRegister sum in _sums[r])
            {
                B.Assign(sum, KBuilder.Multiply(new KRead(sum), KBuilder.Broadcast(factors[r], Sizes.ColumnLanes)));
            }
        }
        B.Add(new KWarpBarrier()); // a row belongs to one warp
        KExpr column = B.Let("column", KBuilder.Multiply(_lane, Sizes.ColumnLanes));
        B.For("key", 0, Sizes.Keys, Sizes.Chunk, key =>
        {
            KExpr[] w = [.. rows.Select(r => Read("w", _weights!, KBuilder.Add(r, key), Sizes.Chunk))];
            for (int i = 0; i < Sizes.Chunk; i++)
            {
                KExpr row = B.Let("v0", KBuilder.Add(KBuilder.Multiply(KBuilder.Add(key, i), Sizes.ColumnPitch), column));
                for (int v = 0; v < Sizes.ColumnVectors; v++)
                {
                    KExpr value = Read("v", values, KBuilder.Add(row, v * Distance), Sizes.ColumnLanes);
                    for (int r = 0; r < Rows; r++)
                    {
                        B.Assign(_sums[r][v], KBuilder.FusedMultiplyAdd(
                            KBuilder.Broadcast(new KShuffle(w[r], [i]), Sizes.ColumnLanes), value, new KRead(_sums[r][v])));
                    }
                }
            }
        });
    }

    private protected override void ForEachSum(Action<int, KExpr, KExpr> use)
    {
        KExpr column = B.Let("column", KBuilder.Multiply(_lane, Sizes.ColumnLanes));
        for (int r = 0; r < Rows; r++)
        {
            for (int v = 0; v < Sizes.ColumnVectors; v++)
            {
                use(r, B.Let("at", KBuilder.Add(column, v * Distance)), new KRead(_sums[r][v]));
            }
        }
    }

    private int Distance => GpuAttentionSizes.ThreadsPerRow * Sizes.ColumnLanes;

    private KExpr Read(string name, KBuffer buffer, KExpr at, int lanes) => B.Let(name, new KLoad(buffer, at, lanes, Alignment: lanes));
}
