namespace Graphene.Codegen;

// Register tiles: which rows they take, and the loops over k.
internal sealed partial class MatrixProductLowering
{
    // Row tiles; what is left over is one smaller tile when its size is known, else a row or a tile that is not all stored.
    private void EmitRowTiles(
        KExpr panel, KExpr column, KExpr firstRow, KExpr lastRow, KBuffer? scratch, PanelColumns columns, Phase phase)
    {
        void Tile(KExpr row, int rows, KExpr? end = null) => _emitter.InScope(
            () => EmitTile(panel, column, firstRow, lastRow, new TileRows(row, rows, end), scratch, columns, phase));

        if (_rowCount == 0)
        {
            return;
        }
        if (UsesTiles)
        {
            EmitMatrixTiles(panel, column, firstRow, lastRow, columns);
            return;
        }
        if (_rowCount.IsStatic && _rowCount.Value <= _tileRows)
        {
            Tile(firstRow, (int)_rowCount.Value);
            return;
        }
        KExpr whole = _b.Let("whole", KBuilder.Add(firstRow, KBuilder.Multiply(
            KBuilder.Divide(KBuilder.Subtract(lastRow, firstRow), _tileRows), _tileRows)));
        _b.For("row", firstRow, whole, _tileRows, row => Tile(row, _tileRows));
        if (IsAligned(_tileRows))
        {
            return; // all of them are whole
        }
        if (!_rowCount.IsStatic)
        {
            EmitSmallTiles(whole, lastRow, Tile);
        }
        else if (_rowCount.Value % _tileRows is > 0 and var rest)
        {
            _b.If(KBuilder.Less(whole, lastRow), () => Tile(whole, (int)rest));
        }
    }

    // What is left over when it is not known how many rows there are: tiles of half and of a quarter, in which up to two rows are computed in
    // vain, and a row alone.
    private void EmitSmallTiles(KExpr first, KExpr lastRow, Action<KExpr, int, KExpr?> tile)
    {
        if (_tileRows > RowsOfHalfTiles)
        {
            KExpr halves = KBuilder.Divide(KBuilder.Subtract(lastRow, first), RowsOfHalfTiles);
            KExpr end = _b.Let("halves", KBuilder.Add(first, KBuilder.Multiply(halves, RowsOfHalfTiles)));
            _b.For("row", first, end, RowsOfHalfTiles, row => tile(row, RowsOfHalfTiles, null));
            first = end;
        }
        if (_tileRows > 2)
        {
            _b.For(
                "row", first, KBuilder.Subtract(lastRow, 1), RowsOfQuarterTiles,
                row => tile(row, Math.Min(RowsOfQuarterTiles, _tileRows), lastRow));
        }
        if (_tileRows > 1 && RowsTogether == 1)
        {
            KExpr left = KBuilder.Remainder(KBuilder.Subtract(lastRow, first), RowsOfQuarterTiles);
            _b.If(KBuilder.Call(ScalarOp.Equal, left, 1), () => tile(KBuilder.Subtract(lastRow, 1), 1, null));
        }
    }

    private void EmitTile(
        KExpr panel, KExpr column, KExpr firstRow, KExpr lastRow, TileRows rows, KBuffer? scratch, PanelColumns columns, Phase phase)
    {
        KExpr[] places = PlacesOfSums(panel, rows);
        Func<int, int, KExpr>? initial = phase == Phase.All
            ? InitialSums(panel)
            : (i, j) => new KLoad(_sums!, KBuilder.Add(places[i], j * _sum.Lanes), _sum.Lanes);
        var tile = new RegisterTile(_b, rows.Count, columns.Vectors, _sum, initial);
        _emitter.Bind(_columns.Last, column);
        KExpr lhsBase = _b.Let("lhs", _emitter.EmitPosition(_lhs.Index));
        KExpr[][] counters = RowCounters(rows);
        KExpr[] rowBases = RowBases(lhsBase, rows, counters);
        KExpr?[] masks = Masks(columns);
        if (phase == Phase.Finish)
        {
            EmitEpilogue(tile, rows, counters, column, columns, masks);
            return;
        }
        if (phase == Phase.All)
        {
            PrefetchEpilogue(counters, columns);
        }
        if (_narrow is not null)
        {
            EmitGroups(_narrow, tile, rowBases, panel);
        }
        else
        {
            Func<KExpr, KExpr, int, KExpr> right = RightOperand(panel, scratch, masks);
            Func<int, KExpr, KExpr, KExpr> left = LeftOperand(tile, rows, rowBases);
            Action<KExpr>? prefetch = PrefetchNextPanel(panel, firstRow, lastRow, rows.First);
            _inside = TapsInside(rows, counters);
            EmitDepth(0, 0, 0, 0, (lhsOffset, rhsOffset, k) =>
            {
                prefetch?.Invoke(k);
                tile.Accumulate(i => left(i, lhsOffset, k), j => tile.Widen(right(rhsOffset, k, j)));
            });
        }
        _inside = null;
        if (phase == Phase.Accumulate)
        {
            StoreSums(tile, places);
            return;
        }
        EmitEpilogue(tile, rows, counters, column, columns, masks);
    }

    // The loops over k (of the block at work, when there are blocks), with the offsets that each value of k adds to both operands.
    private void EmitDepth(int depth, KExpr lhsOffset, KExpr rhsOffset, KExpr k, Action<KExpr, KExpr, KExpr> body)
    {
        if (depth == _depth.Count)
        {
            body(lhsOffset, rhsOffset, k);
            return;
        }
        LoopGroup group = _depth[depth];
        KExpr extent = KBuilder.Value(group.Extent);
        DepthRange range = RangeOf(depth);
        (KExpr Begin, KExpr End)? inside = _inside?[depth];
        void Inner(KExpr counter) => EmitDepth(
            depth + 1,
            KBuilder.Add(lhsOffset, KBuilder.Multiply(counter, KBuilder.Value(_lhs.Index[group.Last]))),
            KBuilder.Add(rhsOffset, KBuilder.Multiply(counter, KBuilder.Value(_rhs.Index[group.Last]))),
            KBuilder.Add(KBuilder.Multiply(k, extent), KBuilder.Subtract(counter, range.Begin)),
            body);

        if (range.End is null)
        {
            void Single() => EmitDepth(
                depth + 1,
                KBuilder.Add(lhsOffset, KBuilder.Multiply(range.Begin, KBuilder.Value(_lhs.Index[group.Last]))),
                KBuilder.Add(rhsOffset, KBuilder.Multiply(range.Begin, KBuilder.Value(_rhs.Index[group.Last]))),
                0, body);
            if (inside is not { } taps)
            {
                Single();
                return;
            }
            KExpr isInside = KBuilder.Call(
                ScalarOp.And, KBuilder.Call(ScalarOp.LessOrEqual, taps.Begin, range.Begin), KBuilder.Less(range.Begin, taps.End));
            _b.If(isInside, Single);
            return;
        }
        KExpr begin = inside is null ? range.Begin : KBuilder.Maximum(range.Begin, inside.Value.Begin);
        KExpr end = inside is null ? range.End : KBuilder.Minimum(range.End, inside.Value.End);
        _b.For("k", begin, end, 1, Inner, depth == _depth.Count - 1 ? _target.UnrolledSteps : 0);
    }

    private KExpr?[] Masks(PanelColumns columns) => [.. Enumerable.Range(0, columns.Vectors).Select(j =>
        columns.Present >= (j + 1) * _sum.Lanes ? null : _b.Let("mask", KBuilder.Less(
            new KRamp(j * _sum.Lanes, 1, _sum.Lanes), KBuilder.Broadcast(columns.Present ?? columns.Left!, _sum.Lanes))))];

    // Columns of a panel: how many vectors hold them, and how many there are, as a number or else as an expression.
    private sealed record PanelColumns(int Vectors, int? Present, KExpr? Left);
}
