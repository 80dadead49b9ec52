namespace Graphene.Codegen;

/// <summary>Sums by each thread for itself: a rectangle of them in registers, each one chain of multiply-adds in the order of k.</summary>
/// <remarks>
/// <code>
/// warp = 4 by 8 threads                         rows of a thread: 4 apart where lines of the tile are rows (neighbouring threads then
/// for group of k (16 bytes of an operand)       read neighbouring lines), pieces of neighbours where lines are k; columns likewise
///   a = rows x group, b = group x columns       16 bytes at a time
///   for k of the group, row: sums[row] = fma(a[row, k], b[k], sums[row])
/// </code>
/// The chain is the processor's, so are its bits: a sum's terms come in ascending k, whatever the tile, and nothing is cut. 8 by 8 sums
/// of f32 read 64 bytes for each 64 multiply-adds: 16 loads of 16 bytes for 256 instructions, so that the arithmetic units, one
/// instruction a cycle and scheduler, are the bound.
/// </remarks>
internal sealed class LaneCore : ProductCore
{
    /// <summary>Threads of a warp that share the rows.</summary>
    public const int Down = 4;

    /// <summary>Threads of a warp that share the columns.</summary>
    public const int Across = 8;

    private readonly ProductContext _context;
    private readonly KBuilder _b;
    private readonly Side _left;
    private readonly Side _right;
    private readonly KRegister[] _sums;
    private readonly int _group;

    /// <summary>Declares sums of zero.</summary>
    public LaneCore(ProductContext context, SharedTile left, SharedTile right)
    {
        (_context, _b) = (context, context.B);
        ProductTile tile = context.Tile;
        _left = new Side(
            _b, left, Down, tile.WarpRows / Down, context.WarpRow, _b.Let("down", KBuilder.Divide(context.Lane, Across)));
        _right = new Side(
            _b, right, Across, tile.WarpColumns / Across, context.WarpColumn,
            _b.Let("across", KBuilder.Remainder(context.Lane, Across)));
        _group = Math.Min(tile.Depth, Math.Max(_left.Group, _right.Group));
        var zero = new KConstant(Scalar.Zero(context.Product.Accumulation), _right.Count);
        _sums = [.. Enumerable.Range(0, _left.Count).Select(_ => _b.Declare("sums", zero))];
    }

    /// <inheritdoc/>
    public override int Steps => 1;

    /// <inheritdoc/>
    public override bool ReadsAhead => false;

    /// <inheritdoc/>
    /// <remarks>Rows that are pieces of neighbours leave piece by piece.</remarks>
    public override int Parts => _left.Count / _left.Neighbours;

    /// <inheritdoc/>
    public override KExpr[] Read(KExpr left, KExpr right, int step) => [left, right];

    /// <inheritdoc/>
    public override void Multiply(KExpr[] operands)
    {
        DType type = _context.Product.Accumulation;
        for (int first = 0; first < _context.Tile.Depth; first += _group)
        {
            KExpr[,] a = _left.Read(operands[0], first, _group);
            KExpr[,] b = _right.Read(operands[1], first, _group);
            for (int k = 0; k < _group; k++)
            {
                KExpr columns = _b.Let("b", Widen(Join([.. Enumerable.Range(0, _right.Count).Select(j => b[j, k])]), type));
                for (int i = 0; i < _left.Count; i++)
                {
                    KExpr row = KBuilder.Broadcast(_b.Let("a", Widen(a[i, k], type)), _right.Count);
                    KExpr sums = new KRead(_sums[i]);
                    _b.Assign(_sums[i], type.IsFloating()
                        ? KBuilder.FusedMultiplyAdd(row, columns, sums)
                        : KBuilder.Add(sums, KBuilder.Multiply(row, columns)));
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Give(int part, int parts, Action<KExpr, KExpr, KExpr> take)
    {
        for (int i = part * _left.Count / parts; i < (part + 1) * _left.Count / parts; i++)
        {
            int together = _right.Neighbours;
            for (int j = 0; j < _right.Count; j += together)
            {
                take(
                    _left.Number(i), _right.Number(j),
                    _right.Count == 1
                        ? new KRead(_sums[i])
                        : new KShuffle(new KRead(_sums[i]), Enumerable.Range(j, together).ToValueList()));
            }
        }
    }

    private static KExpr Widen(KExpr value, DType type) => value.Type.Element == type ? value : new KConvert(value, type);

    private static KExpr Join(ReadOnlySpan<KExpr> lanes) => lanes.Length == 1
        ? lanes[0]
        : new KJoin(Join(lanes[..(lanes.Length / 2)]), Join(lanes[(lanes.Length / 2)..]));

    // What a thread has of one operand's rows or columns.
    private sealed class Side(KBuilder b, SharedTile tile, int threads, int count, KExpr first, KExpr thread)
    {
        public int Count => count;

        // How many k are read together.
        public int Group => tile.IsAlongDepth ? tile.Piece : 1;

        // How many of a thread's rows or columns are neighbours.
        public int Neighbours => tile.IsAlongDepth ? 1 : Math.Min(count, tile.Piece);

        // The i-th row or column of the thread, counted from the warp's first.
        public KExpr Number(int i) => KBuilder.Add(
            KBuilder.Multiply(thread, Neighbours), (i / Neighbours * threads * Neighbours) + (i % Neighbours));

        // Elements of all rows or columns of the thread at consecutive k.
        public KExpr[,] Read(KExpr start, int depth, int ks)
        {
            var elements = new KExpr[count, ks];
            if (tile.IsAlongDepth)
            {
                int width = Math.Min(ks, tile.Piece);
                for (int i = 0; i < count; i++)
                {
                    KExpr line = b.Let("line", KBuilder.Add(first, Number(i)));
                    for (int k = 0; k < ks; k += width)
                    {
                        KExpr values = Load(start, line, depth + k, width);
                        for (int lane = 0; lane < width; lane++)
                        {
                            elements[i, k + lane] = Lane(values, lane);
                        }
                    }
                }
                return elements;
            }
            for (int k = 0; k < ks; k++)
            {
                for (int i = 0; i < count; i += Neighbours)
                {
                    KExpr values = Load(start, depth + k, KBuilder.Add(first, Number(i)), Neighbours);
                    for (int lane = 0; lane < Neighbours; lane++)
                    {
                        elements[i + lane, k] = Lane(values, lane);
                    }
                }
            }
            return elements;
        }

        private KExpr Load(KExpr start, KExpr line, KExpr element, int width) => b.Let("value", new KLoad(
            tile.Buffer, KBuilder.Add(start, b.Let("place", tile.Place(line, element))), width, Alignment: width));

        private static KExpr Lane(KExpr values, int lane) =>
            values.Type.IsScalar ? values : new KShuffle(values, new[] { lane }.ToValueList());
    }
}
