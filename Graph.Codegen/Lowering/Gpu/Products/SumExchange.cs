namespace Graphene.Codegen;

/// <summary>
/// Brings sums from the registers of the threads that computed them to those that store them: through shared memory, so that a thread
/// gets 16 bytes of results and a warp stores whole lines of memory.
/// </summary>
/// <remarks>
/// <code>
/// for part of each warp's rows (as many as the ring has room for):
///   barrier; each thread writes its sums of the part; barrier
///   for unit = (row, piece of columns), shared out among the threads: read, epilogue, store
/// </code>
/// Rows are 8 sums longer than the tile, which puts the rows that a fragment writes at once on different banks. A tile of 128 by 128 in f32
/// is written and read once: 128 KiB, 1024 cycles of shared memory for each 128 * 128 * K products.
/// </remarks>
internal sealed class SumExchange(ProductContext context, ProductSums core)
{
    private readonly KBuilder _b = context.B;

    /// <summary>How many elements each row of sums has in shared memory.</summary>
    /// <param name="columns">Columns of the tile.</param>
    /// <param name="isAlongRows">Whether columns are read one after another by neighbouring threads.</param>
    /// <param name="width">How many sums are read at once.</param>
    public static int Pitch(int columns, bool isAlongRows, int width) => columns + (isAlongRows ? 1 : Math.Max(8, width));

    /// <summary>Hands all sums of the tile on.</summary>
    /// <param name="ring">Memory that is free when all threads are here.</param>
    /// <param name="firstRow">The tile's first row.</param>
    /// <param name="firstColumn">The tile's first column.</param>
    /// <param name="width">How many neighbouring columns go together.</param>
    /// <param name="isAlongRows">Whether neighbouring threads take neighbouring rows.</param>
    /// <param name="store">Takes a row, a first column and the sums from there on; called under a condition that they exist.</param>
    public void Run(
        KBuffer ring, KExpr firstRow, KExpr firstColumn, int width, bool isAlongRows, Action<KExpr, KExpr, KExpr> store)
    {
        ProductTile tile = context.Tile;
        if (tile.Columns % width != 0)
        {
            throw new CompilerBugException("lowering", $"{tile.Columns} columns of a tile are to be stored {width} at a time");
        }
        DType type = context.Product.Accumulation;
        int pitch = Pitch(tile.Columns, isAlongRows, width);
        long room = ring.Length * ring.Element.SizeInBytes() / ((long)pitch * type.SizeInBytes());
        int parts = 1;
        while (parts < core.Parts && tile.Rows / parts > room)
        {
            parts *= 2;
        }
        int rows = tile.Rows / parts;
        KBuffer sums = KBuffer.Shared("sums", type, rows * pitch, rows <= room ? ring : null);
        _b.Add(new KScratch(sums));
        for (int part = 0; part < parts; part++)
        {
            _b.Add(new KBarrier());
            ByHolders(() => Write(sums, pitch, part, parts, isAlongRows));
            _b.Add(new KBarrier());
            ByHolders(() => Read(sums, pitch, part, parts, (row, column, place) => _b.If(
                Exists(KBuilder.Add(firstRow, row), KBuilder.Add(firstColumn, column)),
                () => store(
                    _b.Let("row", KBuilder.Add(firstRow, row)), _b.Let("column", KBuilder.Add(firstColumn, column)),
                    _b.Let("sums", new KLoad(sums, place, width, Alignment: width)))), width, isAlongRows));
        }
    }

    // Threads without sums come to the barriers and do nothing else.
    private void ByHolders(Action action)
    {
        if (core.OtherThreads == 0)
        {
            action();
        }
        else
        {
            _b.If(KBuilder.Less(context.Thread, context.Tile.Threads), action);
        }
    }

    private KExpr Exists(KExpr row, KExpr column) => KBuilder.Call(
        ScalarOp.And, KBuilder.Less(row, KBuilder.Value(context.Product.Rows.Count)),
        KBuilder.Less(column, KBuilder.Value(context.Product.Columns.Count)));

    private void Write(KBuffer sums, int pitch, int part, int parts, bool isAlongRows)
    {
        int rowsOfPart = context.Tile.WarpRows / parts;
        KExpr first = _b.Let("sums", KBuilder.Add(
            KBuilder.Multiply(KBuilder.Subtract(KBuilder.Divide(context.WarpRow, parts), part * rowsOfPart), pitch), context.WarpColumn));
        core.Give(part, parts, (row, column, values) =>
        {
            KExpr place = _b.Let("place", KBuilder.Add(KBuilder.Add(first, KBuilder.Multiply(row, pitch)), column));
            int lanes = values.Type.Lanes;
            if (!isAlongRows)
            {
                _b.Add(new KStore(sums, place, values, Alignment: lanes));
                return;
            }
            values = _b.Let("values", values);
            for (int i = 0; i < lanes; i++)
            {
                _b.Store(sums, KBuilder.Add(place, i), lanes == 1 ? values : new KShuffle(values, new[] { i }.ToValueList()));
            }
        });
    }

    private void Read(
        KBuffer sums, int pitch, int part, int parts, Action<KExpr, KExpr, KExpr> take, int width, bool isAlongRows)
    {
        ProductTile tile = context.Tile;
        (int rows, int rowsOfPart) = (tile.Rows / parts, tile.WarpRows / parts);
        int pieces = tile.Columns / width;
        int count = rows * pieces;
        _b.For("unit", 0, count, tile.Threads, begin =>
        {
            KExpr unit = _b.Let("unit", KBuilder.Add(begin, context.Thread));
            KExpr line = _b.Let("line", isAlongRows ? KBuilder.Remainder(unit, rows) : KBuilder.Divide(unit, pieces));
            KExpr piece = isAlongRows ? KBuilder.Divide(unit, rows) : KBuilder.Remainder(unit, pieces);
            KExpr column = _b.Let("column", KBuilder.Multiply(piece, width));
            KExpr row = _b.Let("row", KBuilder.Add(
                KBuilder.Add(KBuilder.Multiply(KBuilder.Divide(line, rowsOfPart), tile.WarpRows), part * rowsOfPart),
                KBuilder.Remainder(line, rowsOfPart)));
            KExpr place = _b.Let("place", KBuilder.Add(KBuilder.Multiply(line, pitch), column));
            if (count % tile.Threads == 0)
            {
                take(row, column, place);
            }
            else
            {
                _b.If(KBuilder.Less(unit, count), () => take(row, column, place));
            }
        });
    }
}
