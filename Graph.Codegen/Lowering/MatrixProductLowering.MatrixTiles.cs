namespace Graphene.Codegen;

// Products of narrow elements by matrix tiles.
//
//   sums[2][2] += left[2] x right[2]        16 rows and 16 columns each, 64 bytes of k: every tile loaded serves two products
//
// Tiles of the left operand are read where it lies when its rows are a fixed distance apart and k is consecutive; the bytes of k that
// fill no tile are copied with zeros behind them once per task. Other left operands (windows of images) are copied as a whole. Sums
// go through memory to the epilogue.
internal sealed partial class MatrixProductLowering
{
    private const int FewRows = KTile.MostRows;

    // A step reads a page or so of the panel, by rows and not from its beginning to its end, which the processor does not foresee.
    private const int StepsAhead = 2;

    private long TileDepth => KTile.MostBytesPerRow / _lhs.Load.DType.SizeInBytes();

    private long PaddedDepth => DimMath.CeilDiv(_depthCount.Value, TileDepth) * TileDepth;

    private bool IsReadInPlace => _rows.Count <= 1 && _depth.Count == 1 && IsDepthConsecutive;

    private bool FitsTiles => IsReadInPlace
        || 2 * KTile.MostRows * PaddedDepth * _lhs.Load.DType.SizeInBytes() <= LargestScratchInBytes;

    // How many operations take as long as one in f32, roughly.
    private long TimesFaster => UsesTiles ? 8 : 1;

    private KExpr RowStride => _rows.Count == 0 ? 0 : KBuilder.Value(_lhs.Index[_rows[0].Last]);

    private (int Rows, int Vectors) ChooseMatrixTile()
    {
        int vectors = (int)DimMath.CeilDiv(_columns.Extent.Value, _sum.Lanes);
        return _rowCount.IsStatic && _rowCount.Value <= FewRows ? (FewRows, Math.Min(4, vectors)) : (2 * FewRows, Math.Min(2, vectors));
    }

    private void EmitMatrixTiles(KExpr panel, KExpr column, KExpr firstRow, KExpr lastRow, PanelColumns columns)
    {
        KExpr whole = _b.Let("whole", KBuilder.Add(firstRow, KBuilder.Multiply(
            KBuilder.Divide(KBuilder.Subtract(lastRow, firstRow), _tileRows), _tileRows)));
        void Rest(params KExpr[] rows) => InTiles(rows, columns.Vectors, tiles => EmitMatrixTile(
            tiles, panel, column, new MatrixRows(whole, KBuilder.Subtract(lastRow, whole)), columns));

        if (!_rowCount.IsStatic || _rowCount.Value >= _tileRows)
        {
            KExpr[] full = [.. Enumerable.Repeat((KExpr)KTile.MostRows, _tileRows / KTile.MostRows)];
            InTiles(full, columns.Vectors, tiles => _b.For("row", firstRow, whole, _tileRows, row => EmitMatrixTile(
                tiles, panel, column, new MatrixRows(row, _tileRows), columns)));
        }
        if (!_rowCount.IsStatic)
        {
            KExpr left = _b.Let("left", KBuilder.Subtract(lastRow, whole));
            _b.If(
                KBuilder.Less(KTile.MostRows, left),
                () => Rest(KTile.MostRows, KBuilder.Subtract(left, KTile.MostRows)),
                () => _b.If(KBuilder.Less(0, left), () => Rest(left)));
        }
        else if (_rowCount.Value % _tileRows is > 0 and var rest)
        {
            _b.If(
                KBuilder.Less(whole, lastRow),
                () => Rest(rest > KTile.MostRows ? [KTile.MostRows, rest - KTile.MostRows] : [rest]));
        }
    }

    // Sums, left and right tiles, as many right ones as there are left to have.
    private void InTiles(KExpr[] rows, int vectors, Action<MatrixTileSet> body)
    {
        int depth = (int)TileDepth;
        var sums = new KTile[rows.Length, vectors];
        var all = new List<KTile>();
        var heights = new List<KExpr>();
        KTile Add(string name, DType type, int columns, KExpr height)
        {
            var tile = new KTile(name, type, columns);
            all.Add(tile);
            heights.Add(height);
            return tile;
        }

        for (int r = 0; r < rows.Length; r++)
        {
            for (int v = 0; v < vectors; v++)
            {
                sums[r, v] = Add("sum", _sum.Element, _sum.Lanes, rows[r]);
            }
        }
        KTile[] left = [.. rows.Select(height => Add("a", _narrow!.Left, depth, height))];
        int rights = Math.Min(vectors, KTile.MostTiles - all.Count);
        KTile[] right = [.. Enumerable.Range(0, rights).Select(_ => Add("b", _narrow!.Right, _sum.Lanes * _narrow!.Group, KTile.MostRows))];
        KBlock block = _b.Block(() => body(new MatrixTileSet(sums, left, right)));
        _b.Add(new KTiles(all, heights, block));
    }

    private void EmitMatrixTile(MatrixTileSet tiles, KExpr panel, KExpr column, MatrixRows rows, PanelColumns columns) => _emitter.InScope(() =>
    {
        foreach (KTile sum in tiles.Sums)
        {
            _b.Add(new KTileZero(sum));
        }
        long direct = IsReadInPlace ? _depthCount.Value / TileDepth : 0;
        long copied = (PaddedDepth / TileDepth) - direct;
        KExpr start = _b.Let("packed", KBuilder.Multiply(PanelNumber(panel), (long)_groups!.Words * PanelWidth * _groups.Group));
        if (direct > 0)
        {
            KBuffer lhs = _fusion.Source.Source(_lhs.Load.Source);
            KExpr stride = _b.Let("stride", RowStride);
            KExpr from = _b.Let("lhs", KBuilder.Add(_emitter.EmitPosition(_lhs.Index), KBuilder.Multiply(rows.First, stride)));
            _b.For("step", 0, direct, 1, step => EmitTileStep(
                tiles, lhs, KBuilder.Add(from, KBuilder.Multiply(step, TileDepth)), stride, start, step));
        }
        if (copied > 0)
        {
            long width = copied * TileDepth;
            KExpr from = _b.Let("lhs", KBuilder.Multiply(KBuilder.Subtract(rows.First, _firstRow), width));
            _b.For("step", 0, copied, 1, step => EmitTileStep(
                tiles, _left!, KBuilder.Add(from, KBuilder.Multiply(step, TileDepth)), width, start, KBuilder.Add(step, direct)));
        }
        EmitTileEpilogue(tiles, column, rows, columns);
    });

    private void EmitTileStep(MatrixTileSet tiles, KBuffer lhs, KExpr from, KExpr stride, KExpr packed, KExpr step)
    {
        long rowOfTile = (long)_sum.Lanes * _groups!.Group;
        long sizeOfStep = (long)KTile.MostRows * PanelWidth * _groups.Group;
        for (int r = 0; r < tiles.Left.Length; r++)
        {
            _b.Add(new KTileLoad(
                tiles.Left[r], lhs, _b.Let("at", KBuilder.Add(from, KBuilder.Multiply(stride, r * KTile.MostRows))), stride));
        }
        KExpr at = _b.Let("at", KBuilder.Add(packed, KBuilder.Multiply(step, sizeOfStep)));
        if (tiles.Left.Length == 1)
        {
            // Nobody else reads the panel, so all of it comes from memory.
            PrefetchPanel(KBuilder.Add(at, StepsAhead * sizeOfStep), sizeOfStep);
        }
        for (int v = 0; v < tiles.Sums.GetLength(1); v++)
        {
            KTile right = tiles.Right[v % tiles.Right.Length];
            _b.Add(new KTileLoad(right, _packed!, KBuilder.Add(at, v * KTile.MostRows * rowOfTile), rowOfTile));
            for (int r = 0; r < tiles.Left.Length; r++)
            {
                _b.Add(new KTileDot(tiles.Sums[r, v], tiles.Left[r], right));
            }
        }
    }

    private void PrefetchPanel(KExpr at, long elements)
    {
        int line = CacheSizes.LineInBytes / _packed!.Element.SizeInBytes();
        for (long i = 0; i < elements; i += line)
        {
            _b.Add(new KPrefetch(_packed, KBuilder.Add(at, i)));
        }
    }

    private void EmitTileEpilogue(MatrixTileSet tiles, KExpr column, MatrixRows rows, PanelColumns columns)
    {
        int vectors = tiles.Sums.GetLength(1);
        int width = vectors * _sum.Lanes;
        KBuffer scratch = _b.Scratch("sums", _sum.Element, (long)_tileRows * width);
        for (int r = 0; r < tiles.Left.Length; r++)
        {
            for (int v = 0; v < vectors; v++)
            {
                long at = (r * KTile.MostRows * width) + (v * _sum.Lanes);
                _b.Add(new KTileStore(tiles.Sums[r, v], scratch, at, width));
            }
        }
        _emitter.Bind(_columns.Last, column);
        KExpr?[] masks = Masks(columns);
        _b.For("i", 0, rows.Count, 1, i => _emitter.InScope(() => StoreRow(
            vectors, (_, j) => new KLoad(scratch, KBuilder.Add(KBuilder.Multiply(i, width), j * _sum.Lanes), _sum.Lanes),
            RowCounters(new TileRows(KBuilder.Add(rows.First, i), 1, null)), column, columns, masks)));
    }

    private sealed record MatrixTileSet(KTile[,] Sums, KTile[] Left, KTile[] Right);

    // Rows that are computed together.
    private sealed record MatrixRows(KExpr First, KExpr Count);
}
