using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Attention whose products are those of fragments: of f16 and bf16, and of f32 where its products may
/// round operands to TF32.
/// </summary>
/// <remarks>
/// <code>
/// a warp has 16 queries; its lanes 4 g + t share queries g and g + 8
///   s[16 x 8 keys]  += q[16 x 16 of d] * k[16 of d x 8 keys]            queries stay in registers up to size 128
///   the sums of two such tiles are the left operand of the second product as they are
///   o[16 x 8 columns] += w[16 x 16 keys] * v[16 keys x 8 columns]       values are transposed on their way from shared memory
/// </code>
/// Per tile of 64 keys at size 64 a warp issues 64 products of 4096 flops, 36 loads of matrices and about 13 instructions for each of a
/// thread's 32 weights.
///
/// f32: products of half the depth (8), so twice as many; tiles are rounded once, where they arrive, by all threads together, 7
/// instructions for each element and 64 for each 16 bytes of 4 warps that would do it for themselves. Sums hold keys 2 t and 2 t + 1, left
/// operands want t and t + 4: keys are added in an order of their own, and values are read in the same one, 2 elements for each product.
/// </remarks>
internal sealed class GpuFragmentAttention : GpuAttentionLowering
{
    // Longer queries are read again for each tile of keys: results take their registers.
    private const int MostQueryBytesInRegisters = 256;

    private readonly List<KRegister> _sums = [];
    private readonly KFragmentShape _shape;
    private readonly KExpr _warp;
    private readonly KExpr _lane;
    private readonly KExpr _row;
    private readonly KExpr _column;
    private readonly KExpr _low;
    private readonly KExpr _high;
    private KExpr[]? _queries;
    private KBuffer? _queryTile;

    public GpuFragmentAttention(AttentionForm form, AttentionAccess access, GpuAttentionSizes sizes, GpuTarget gpu)
        : base(form, access, sizes, gpu)
    {
        _shape = sizes.Stored == DType.F32 ? KFragmentShape.TensorFloat32 : KFragmentShape.Half(sizes.Stored);
        _warp = B.Let("warp", KBuilder.Divide(Thread, KThreads.WarpSize));
        _lane = B.Let("lane", KBuilder.Remainder(Thread, KThreads.WarpSize));
        _row = B.Let("g", KBuilder.Add(KBuilder.Multiply(_warp, 16), KBuilder.Divide(_lane, 4)));
        _column = B.Let("t", KBuilder.Multiply(KBuilder.Remainder(_lane, 4), 2));
        // Lane 8 i + r says where row r of matrix i lies: matrices 1 and 3 are 8 rows below or 16 bytes beside 0 and 2.
        KExpr matrix = B.Let("matrix", KBuilder.Divide(_lane, 8));
        KExpr odd = KBuilder.Remainder(matrix, 2);
        KExpr upper = KBuilder.Divide(matrix, 2);
        KExpr row = B.Let("r", KBuilder.Remainder(_lane, 8));
        int beside = _shape.Depth / 2;
        (_low, _high) = (B.Let("rowOdd", KBuilder.Add(row, KBuilder.Multiply(odd, 8))), B.Let("upper", KBuilder.Multiply(upper, beside)));
        RowUpper = B.Let("rowUpper", KBuilder.Add(row, KBuilder.Multiply(upper, 8)));
        ColumnOdd = B.Let("odd", KBuilder.Multiply(odd, beside));
    }

    private KExpr RowUpper { get; }

    private KExpr ColumnOdd { get; }

    private protected override int Rows => 2;

    private protected override int Scores => Sizes.Keys / 4;

    private protected override IReadOnlyList<int> Sharers => [1, 2];

    private int Steps => Sizes.PaddedDepth / _shape.Depth;

    private bool IsSingle => Sizes.Stored == DType.F32;

    private protected override KExpr IsFirst => KBuilder.Call(ScalarOp.Equal, _column, 0);

    private protected override void Declare()
    {
        var zero = new KConstant(Scalar.Zero(DType.F32), _shape.SumLanes);
        _sums.AddRange(Enumerable.Range(0, Sizes.PaddedColumns / 8).Select(_ => B.Declare("o", zero)));
    }

    private protected override void Arrived(GpuAttentionTile tile)
    {
        if (IsSingle)
        {
            tile.Change(B, Thread, Sizes.Threads, piece => TensorFloat32.Round(B, piece));
            B.Add(new KBarrier());
        }
    }

    private protected override void ReadQueries(KBuffer queries)
    {
        _queryTile = queries;
        _queries = Sizes.PaddedDepth * Sizes.Stored.SizeInBytes() <= MostQueryBytesInRegisters
            ? [.. Enumerable.Range(0, Steps).Select(LoadQuery)]
            : null;
    }

    private protected override KExpr Row(int row) => KBuilder.Add(_row, 8 * row);

    // Scores 2 i and 2 i + 1 are those of tile i of 8 keys.
    private protected override KExpr Key(int score) => KBuilder.Add(_column, (score / 2 * 8) + (score % 2));

    private protected override KExpr[][] EmitProducts(KBuffer keys)
    {
        var zero = new KConstant(Scalar.Zero(DType.F32), _shape.SumLanes);
        KRegister[] sums = [.. Enumerable.Range(0, Sizes.Keys / 8).Select(_ => B.Declare("s", zero))];
        KExpr at = B.Let("k0", KBuilder.Add(KBuilder.Multiply(RowUpper, Sizes.DepthPitch), ColumnOdd));
        for (int step = 0; step < Steps; step++)
        {
            KExpr query = _queries?[step] ?? LoadQuery(step);
            for (int pair = 0; pair < sums.Length / 2; pair++)
            {
                KExpr both = Load("k", keys, KBuilder.Add(at, (16L * pair * Sizes.DepthPitch) + (_shape.Depth * step)), false);
                B.Add(new KFragmentDot(_shape, sums[2 * pair], query, Half(both, 0)));
                B.Add(new KFragmentDot(_shape, sums[(2 * pair) + 1], query, Half(both, 1)));
            }
        }
        KExpr[] products = [.. sums.Select(s => B.Let("products", new KRead(s)))];
        return [.. Enumerable.Range(0, 2).Select(row => Enumerable.Range(0, Scores)
            .Select(s => B.Let("product", new KShuffle(products[s / 2], [(2 * row) + (s % 2)]))).ToArray())];
    }

    // 2^x = 2^n 2^f with n an integer and |f| at most 1/2; the polynomial is within 3e-6. Numbers below 2^-126 become 0.
    private protected override KExpr Exponential(KExpr power)
    {
        const double Magic = 12582912; // 1.5 * 2^23: adding it leaves the rounded number in the low bits
        KExpr x = B.Let("x", KBuilder.Maximum(KBuilder.Multiply(power, F32(1.4426950408889634)), F32(-127)));
        KExpr shifted = B.Let("shifted", KBuilder.Add(x, F32(Magic)));
        KExpr f = B.Let("f", KBuilder.Subtract(x, KBuilder.Subtract(shifted, F32(Magic))));
        KExpr p = F32(0.009582852944731712);
        foreach (double c in new[] { 0.055906426161527634, 0.24024099111557007, 0.6931241750717163, 1 })
        {
            p = KBuilder.FusedMultiplyAdd(p, f, F32(c));
        }
        KExpr n = KBuilder.Call(ScalarOp.ShiftLeft, new KBitcast(shifted, DType.I32), I32(23));
        return B.Let("e", KBuilder.Multiply(p, new KBitcast(KBuilder.Add(n, I32(127 << 23)), DType.F32)));
    }

    private protected override void EmitContext(KExpr[] factors, KExpr[][] weights, KBuffer values)
    {
        KExpr both = B.Let("factors", new KJoin(KBuilder.Broadcast(factors[0], 2), KBuilder.Broadcast(factors[1], 2)));
        foreach (KRegister sum in _sums)
        {
            B.Assign(sum, KBuilder.Multiply(new KRead(sum), both));
        }
        if (IsSingle)
        {
            AddSingles(weights, values);
            return;
        }
        KExpr at = B.Let("v0", KBuilder.Add(KBuilder.Multiply(_low, Sizes.ColumnPitch), _high));
        for (int step = 0; step < Sizes.Keys / 16; step++)
        {
            KExpr left = B.Let("w", new KConvert(new KJoin(Tile(weights, 2 * step), Tile(weights, (2 * step) + 1)), Sizes.Stored));
            for (int pair = 0; pair < _sums.Count / 2; pair++)
            {
                KExpr columns = Load("v", values, KBuilder.Add(at, (16L * step * Sizes.ColumnPitch) + (16 * pair)), true);
                B.Add(new KFragmentDot(_shape, _sums[2 * pair], left, Half(columns, 0)));
                B.Add(new KFragmentDot(_shape, _sums[(2 * pair) + 1], left, Half(columns, 1)));
            }
        }
    }

    // Term t of a product is key 2 t, and term t + 4 is key 2 t + 1.
    private void AddSingles(KExpr[][] weights, KBuffer values)
    {
        KExpr at = B.Let("v0", KBuilder.Add(KBuilder.Multiply(_column, Sizes.ColumnPitch), KBuilder.Divide(_lane, 4)));
        for (int step = 0; step < Sizes.Keys / 8; step++)
        {
            KExpr left = TensorFloat32.Round(B, new KJoin(
                new KJoin(weights[0][2 * step], weights[1][2 * step]), new KJoin(weights[0][(2 * step) + 1], weights[1][(2 * step) + 1])));
            for (int tile = 0; tile < _sums.Count; tile++)
            {
                long first = (8L * step * Sizes.ColumnPitch) + (8 * tile);
                KExpr even = new KLoad(values, KBuilder.Add(at, first));
                KExpr odd = new KLoad(values, KBuilder.Add(at, first + Sizes.ColumnPitch));
                B.Add(new KFragmentDot(_shape, _sums[tile], left, B.Let("v", new KJoin(even, odd))));
            }
        }
    }

    private protected override void ForEachSum(Action<int, KExpr, KExpr> use)
    {
        for (int tile = 0; tile < _sums.Count; tile++)
        {
            KExpr sum = B.Let("sums", new KRead(_sums[tile]));
            for (int row = 0; row < 2; row++)
            {
                use(row, B.Let("at", KBuilder.Add(_column, 8 * tile)), new KShuffle(sum, [2 * row, (2 * row) + 1]));
            }
        }
    }

    // The four weights of a tile of 8 keys, as products of fragments give and take them.
    private static KJoin Tile(KExpr[][] weights, int tile) =>
        new(new KJoin(weights[0][2 * tile], weights[0][(2 * tile) + 1]), new KJoin(weights[1][2 * tile], weights[1][(2 * tile) + 1]));

    private KExpr LoadQuery(int step)
    {
        KExpr row = KBuilder.Add(KBuilder.Multiply(_warp, 16), _low);
        KExpr place = KBuilder.Add(KBuilder.Multiply(row, Sizes.DepthPitch), _high);
        return Load("q", _queryTile!, KBuilder.Add(place, _shape.Depth * step), false);
    }

    private KVariable Load(string name, KBuffer buffer, KExpr at, bool isTransposed)
    {
        var loaded = new KVariable(name, new KType(Sizes.Stored, Sizes.Chunk));
        B.Add(new KFragmentLoad(loaded, buffer, at, 4, isTransposed));
        return loaded;
    }

    private KShuffle Half(KExpr both, int half) => new(both, Enumerable.Range(_shape.RightLanes * half, _shape.RightLanes).ToValueList());

    private static KConstant F32(double value) => new(Scalar.FromDouble(DType.F32, value), 1);

    private static KConstant I32(long value) => new(Scalar.FromInteger(DType.I32, value), 1);
}
