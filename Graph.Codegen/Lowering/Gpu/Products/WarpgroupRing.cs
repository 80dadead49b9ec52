namespace Graphene.Codegen;

/// <summary>Products of sm_90a: one warp copies boxes of operands ahead, warpgroups multiply them where they arrive.</summary>
/// <remarks>
/// <code>
/// warps 0 .. 7: two warpgroups, 64 rows of the tile each           warp 8
///   for tile t of k:                                                 for tile t of k:
///     wait until place t mod n is full                                 wait until place t mod n is empty (at first it is)
///     fence; 4 products of 32 bytes of k; commit                       arrive at full with the bytes of a tile
///     wait for the products of tile t - 1                              copy boxes of both operands to the place
///     arrive at empty for the place of tile t - 1
///   wait for all products
/// all: sums to shared memory, epilogue, store                       SumExchange
/// </code>
/// A tile of 128 by 256 in half precision does 128 * 256 * 64 multiply-adds for each 48 KiB: 1024 cycles at the 2048 of
/// a multiprocessor and cycle that the data sheet of an H100 gives, in which the instructions read 2 * (64 + 256) * 128
/// bytes of shared memory, 80 bytes of the 128 a cycle, and copies take 48 bytes a cycle from the second cache. That is
/// more than the 25 to 40 it is said to give to each of 132, so the cache is the bound unless operands are shared among
/// multiprocessors (clusters, which are not used). A thread has 128 sums. The next task's copies do not begin before
/// the sums of this one are stored: that is lost where one task fills a multiprocessor.
/// </remarks>
internal sealed class WarpgroupRing
{
    private readonly ProductContext _context;
    private readonly KBuilder _b;
    private readonly WarpgroupOperand _left;
    private readonly WarpgroupOperand _right;
    private readonly KTensorMap _leftMap;
    private readonly KTensorMap _rightMap;
    private readonly KWarpgroupShape _shape;

    /// <summary>Prepares a product whose operands <see cref="WarpgroupOperand"/> knows.</summary>
    /// <exception cref="CompilerBugException">The product is not such.</exception>
    public WarpgroupRing(ProductContext context, GpuTarget gpu)
    {
        (_context, _b) = (context, context.B);
        (GpuProduct product, ProductTile tile) = (context.Product, context.Tile);
        (WarpgroupOperand, WarpgroupOperand, KWarpgroupShape)? found = Find(product, tile.Columns, gpu);
        (_left, _right, _shape) = found ?? throw new CompilerBugException("lowering", "warpgroups cannot multiply these operands");
        bool rounds = _left.Element == DType.F32;
        _leftMap = _left.Map("left_map", tile.Rows, tile.Depth, rounds);
        _rightMap = _right.Map("right_map", tile.Columns, tile.Depth, rounds);
        Buffer = KBuffer.Shared("ring", _left.Element, (long)StageElements * tile.Stages, alignment: KSharedMatrix.Alignment);
        KRegister sum = _b.Declare("sum", new KConstant(Scalar.Zero(_shape.Sum), _shape.SumLanes));
        Sums = new WarpgroupSums(context, sum);
    }

    /// <summary>The ring; free when <see cref="Run"/> is over and all threads are there.</summary>
    public KBuffer Buffer { get; }

    /// <summary>What the kernel is passed besides.</summary>
    public KTensorMap[] Maps => [_leftMap, _rightMap];

    /// <summary>The sums.</summary>
    public WarpgroupSums Sums { get; }

    private ProductTile Tile => _context.Tile;

    private int StageElements => (Tile.Rows + Tile.Columns) * Tile.Depth;

    private int Warps => Tile.Threads / KThreads.WarpSize;

    /// <summary>How many tasks a multiprocessor has room for, at most two: one stores while the other multiplies.</summary>
    public static int TasksTogether(ProductTile tile, int elementBytes, GpuTarget gpu) =>
        Math.Clamp(gpu.SharedBytesPerTask / tile.RingBytes(elementBytes), 1, 2);

    /// <summary>Whether warpgroups can compute a product at all.</summary>
    public static bool IsPossible(GpuProduct product, GpuTarget gpu) => Find(product, KWarpgroupShape.Rows, gpu) is not null;

    /// <summary>Adds all products from one k to another, which is the last, or a multiple of a tile's k behind the first.</summary>
    public void Run(KExpr begin, KExpr end, KExpr firstRow, KExpr firstColumn, KExpr batch)
    {
        var full = new KPhaseBarriers("full", Tile.Stages, 1);
        var empty = new KPhaseBarriers("empty", Tile.Stages, Warps);
        _b.Add(new KScratch(Buffer));
        _b.Add(new KPhaseInit(full));
        _b.Add(new KPhaseInit(empty));
        _b.Add(new KBarrier());
        KExpr tiles = _b.Let("tiles", KBuilder.CeilDiv(KBuilder.Maximum(KBuilder.Subtract(end, begin), 0), Tile.Depth));
        KExpr row = _b.Let("group_row", KBuilder.Multiply(
            KBuilder.Divide(_context.Thread, KWarpgroupShape.Threads), KWarpgroupShape.Rows));
        Dictionary<LoopGroup, KExpr> counters = _context.Product.Batch.Groups.Zip(_context.Product.Batch.Counters(_b, batch))
            .ToDictionary(p => p.First, p => p.Second);
        KBlock multiply = _b.Block(() => Multiply(tiles, row, full, empty));
        KBlock copy = _b.Block(() => _b.For("tile", 0, tiles, 1, tile =>
        {
            KExpr place = Place(tile);
            _b.Add(new KPhaseWait(empty, place, KBuilder.Remainder(KBuilder.Add(KBuilder.Divide(tile, Tile.Stages), 1), 2)));
            _b.Add(new KPhaseArrive(full, place, StageElements * _left.Element.SizeInBytes()));
            KExpr term = _b.Let("term", KBuilder.Add(begin, KBuilder.Multiply(tile, Tile.Depth)));
            KExpr at = _b.Let("at", KBuilder.Multiply(place, StageElements));
            _left.Copy(_b, _leftMap, Buffer, at, firstRow, Tile.Rows, term, counters, full, place);
            _right.Copy(_b, _rightMap, Buffer, RightOf(at), firstColumn, Tile.Columns, term, counters, full, place);
        }));
        _b.Add(new KRoles([new KRole(0, Warps, multiply), new KRole(Warps, Warps + 1, copy)]));
    }

    private void Multiply(KExpr tiles, KExpr row, KPhaseBarriers full, KPhaseBarriers empty)
    {
        _b.For("tile", 0, tiles, 1, tile =>
        {
            KExpr place = Place(tile);
            _b.Add(new KPhaseWait(full, place, KBuilder.Remainder(KBuilder.Divide(tile, Tile.Stages), 2)));
            KExpr at = _b.Let("at", KBuilder.Multiply(place, StageElements));
            _b.Add(new KWarpgroupFence());
            for (int step = 0; step < Tile.Depth / _shape.Depth; step++)
            {
                _b.Add(new KWarpgroupDot(
                    _shape, Sums.Register, _left.Matrix(Buffer, at, row, step, Tile.Depth),
                    _right.Matrix(Buffer, RightOf(at), 0, step, Tile.Depth)));
            }
            _b.Add(new KWarpgroupCommit());
            _b.Add(new KWarpgroupWait(1, []));
            _b.If(KBuilder.Less(0, tile), () => _b.Add(new KPhaseArrive(empty, Place(KBuilder.Add(tile, Tile.Stages - 1)))));
        });
        _b.Add(new KWarpgroupWait(0, [Sums.Register]));
    }

    private KExpr Place(KExpr tile) => _b.Let("place", KBuilder.Remainder(tile, Tile.Stages));

    private KExpr RightOf(KExpr place) => KBuilder.Add(place, (long)Tile.Rows * Tile.Depth);

    private static (WarpgroupOperand Left, WarpgroupOperand Right, KWarpgroupShape Shape)? Find(
        GpuProduct product, int columns, GpuTarget gpu) =>
        gpu.HasWarpgroupProducts
            && WarpgroupOperand.Of(product, product.Left, product.Rows) is { } left
            && WarpgroupOperand.Of(product, product.Right, product.Columns) is { } right
            && left.Element == right.Element && (left.Element != DType.F32 || gpu.AllowsTensorFloat32)
            && KWarpgroupShape.Of(columns, left.Element, right.Element, product.Accumulation) is { } shape
            ? (left, right, shape)
            : null;
}

/// <summary>The sums that <see cref="WarpgroupRing"/> leaves in a register of each thread of its warpgroups.</summary>
/// <param name="context">The kernel.</param>
/// <param name="register">The register.</param>
internal sealed class WarpgroupSums(ProductContext context, KRegister register) : ProductSums
{
    /// <summary>The register.</summary>
    public KRegister Register => register;

    /// <inheritdoc/>
    /// <remarks>The warp that copies.</remarks>
    public override int OtherThreads => KThreads.WarpSize;

    /// <inheritdoc/>
    public override int Parts => 1;

    /// <inheritdoc/>
    public override void Give(int part, int parts, Action<KExpr, KExpr, KExpr> take)
    {
        KBuilder b = context.B;
        KExpr row = b.Let("sum_row", KBuilder.Divide(context.Lane, 4));
        KExpr column = b.Let("sum_column", KBuilder.Multiply(KBuilder.Remainder(context.Lane, 4), 2));
        KExpr sums = b.Let("sums", new KRead(register));
        for (int lane = 0; lane < register.Type.Lanes; lane += 2)
        {
            take(
                KBuilder.Add(row, 8 * (lane / 2 % 2)), KBuilder.Add(column, 8 * (lane / 4)),
                new KShuffle(sums, new[] { lane, lane + 1 }.ToValueList()));
        }
    }
}
