namespace Graphene.Codegen;

/// <summary>Sums by matrix instructions: each warp has a block of them, in fragments.</summary>
/// <remarks>
/// <code>
/// step of a warp: a[i] = left rows 16 i, b[j] = right columns 8 j   (ldmatrix, of the step after, while this one multiplies)
///                 for i, j: sums[i, j] += a[i] b[j]                  (mma.sync)
/// </code>
/// A warp of m by n reads (m + n) * 32 bytes for m n / 128 instructions of k = 16 in half precision: 128 bytes for each at 64 by 64, 192 at
/// 64 by 32, 256 at 32 by 32, 384 at 16 by 32. A multiprocessor reads 128 bytes of shared memory a cycle, and by its data sheet
/// multiplies 1024 (A100) pairs of half precision a cycle, an instruction in 2 cycles: tiles of 64 by 64 need half of
/// shared memory's time, 32 by 32 all of it, and flat ones for few rows are bound by it, or by the memory that weights come from.
/// A task of 128 by 128 with four warps so takes 512 cycles of arithmetic for each tile of 32 k, beside 256 of reading and 128 of
/// copying in shared memory, and 16 KiB from the second cache, 32 bytes a cycle.
/// </remarks>
internal sealed class FragmentCore : ProductCore
{
    private readonly ProductContext _context;
    private readonly KBuilder _b;
    private readonly KFragmentShape _shape;
    private readonly FragmentReader _left;
    private readonly FragmentReader _right;
    private readonly KRegister[,] _sums;

    /// <summary>Declares sums of zero, and computes what threads know of their places.</summary>
    public FragmentCore(ProductContext context, KFragmentShape shape, SharedTile left, SharedTile right)
    {
        (_context, _b, _shape) = (context, context.B, shape);
        ProductTile tile = context.Tile;
        _left = new FragmentReader(_b, context.Lane, left, shape, true, context.WarpRow, tile.WarpRows, tile.Depth);
        _right = new FragmentReader(_b, context.Lane, right, shape, false, context.WarpColumn, tile.WarpColumns, tile.Depth);
        _sums = new KRegister[tile.WarpRows / shape.Rows, tile.WarpColumns / shape.Columns];
        for (int i = 0; i < RowBlocks; i++)
        {
            for (int j = 0; j < ColumnBlocks; j++)
            {
                _sums[i, j] = _b.Declare("sum", new KConstant(Scalar.Zero(shape.Sum), shape.SumLanes));
            }
        }
    }

    /// <inheritdoc/>
    public override int Steps => _context.Tile.Depth / _shape.Depth;

    /// <inheritdoc/>
    /// <remarks>LLVM keeps vectors of bytes that pass from one round of a loop to the next in a register for each byte.</remarks>
    public override bool ReadsAhead => _shape.Left.SizeInBytes() > 1;

    /// <inheritdoc/>
    public override int Parts => RowBlocks;

    private int RowBlocks => _sums.GetLength(0);

    private int ColumnBlocks => _sums.GetLength(1);

    /// <summary>The instruction for operands of some types; null when there is none.</summary>
    public static KFragmentShape? ShapeOf(DType left, DType right, DType sum, GpuTarget gpu) => (left, right, sum) switch
    {
        _ when !gpu.HasMatrixInstructions => null,
        (DType.F16, DType.F16, DType.F32) or (DType.BF16, DType.BF16, DType.F32) => KFragmentShape.Half(left),
        (DType.I8 or DType.U8, DType.I8 or DType.U8, DType.I32) => KFragmentShape.Bytes(left, right),
        (DType.F64, DType.F64, DType.F64) => KFragmentShape.Double,
        (DType.F32, DType.F32, DType.F32) when gpu.AllowsTensorFloat32 => KFragmentShape.TensorFloat32,
        _ => null,
    };

    /// <inheritdoc/>
    public override KExpr[] Read(KExpr left, KExpr right, int step)
    {
        var operands = new List<KExpr>();
        for (int i = 0; i < RowBlocks; i++)
        {
            operands.AddRange(_left.Read(left, i, 1, step));
        }
        int atOnce = _right.BlocksAtOnce(ColumnBlocks);
        for (int j = 0; j < ColumnBlocks; j += atOnce)
        {
            operands.AddRange(_right.Read(right, j, atOnce, step));
        }
        return [.. operands.Select(o => _shape.Left == DType.F32 ? TensorFloat32.Round(_b, o) : _b.Let("operand", o))];
    }

    /// <inheritdoc/>
    public override void Multiply(KExpr[] operands)
    {
        for (int i = 0; i < RowBlocks; i++)
        {
            for (int j = 0; j < ColumnBlocks; j++)
            {
                // Back and forth, so that neighbouring instructions share a register.
                int column = i % 2 == 0 ? j : ColumnBlocks - 1 - j;
                _b.Add(new KFragmentDot(_shape, _sums[i, column], operands[i], operands[RowBlocks + column]));
            }
        }
    }

    /// <inheritdoc/>
    public override void Give(int part, int parts, Action<KExpr, KExpr, KExpr> take)
    {
        KExpr row = _b.Let("sum_row", KBuilder.Divide(_context.Lane, 4));
        KExpr column = _b.Let("sum_column", KBuilder.Multiply(KBuilder.Remainder(_context.Lane, 4), 2));
        for (int i = part * RowBlocks / parts; i < (part + 1) * RowBlocks / parts; i++)
        {
            for (int j = 0; j < ColumnBlocks; j++)
            {
                KExpr sums = new KRead(_sums[i, j]);
                for (int half = 0; 2 * half < _shape.SumLanes; half++)
                {
                    take(
                        KBuilder.Add(row, (i * _shape.Rows) + (8 * half)), KBuilder.Add(column, j * _shape.Columns),
                        _shape.SumLanes == 2 ? sums : new KShuffle(sums, new[] { 2 * half, (2 * half) + 1 }.ToValueList()));
                }
            }
        }
    }
}
