using System.Numerics;

namespace Graphene.Codegen;

// Register tiles: which rows they take, the loops over k, and what is stored from them.
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
        if (_tileRows > 1)
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

    // Where the rows of a tile begin in the left operand. Those of one row of an image need one address, and a distance each.
    private KExpr[] RowBases(KExpr first, TileRows rows, KExpr[][] counters)
    {
        if (!IsInOneRow(rows))
        {
            return [.. counters.Select(own => _b.Let("a", AtRow(first, _lhs.Index, own)))];
        }
        KExpr at = _b.Let("a", AtRow(first, _lhs.Index, counters[0]));
        KExpr distance = KBuilder.Value(_lhs.Index[_rows[^1].Last]);
        return [.. Enumerable.Range(0, rows.Count).Select(i => i == 0 ? at : KBuilder.Add(at, KBuilder.Multiply(i, distance)))];
    }

    // A place in an operand, moved from row 0 to the row of some counters.
    private KExpr AtRow(KExpr first, AffineIndex index, KExpr[] counters) => counters.Zip(_rows).Aggregate(first, (at, c) =>
        KBuilder.Add(at, KBuilder.Multiply(c.First, KBuilder.Value(index[c.Second.Last]))));

    // What the epilogue reads for each element (a residual), and the lines that it writes unless they are near anyway, come while k runs. Of
    // long sums they would be gone again.
    private void PrefetchEpilogue(KExpr[][] counters, PanelColumns columns)
    {
        if (!_depthCount.IsStatic || _depthCount.Value > LongestDepthWithPrefetch || _product.Grouped is not null)
        {
            return;
        }
        IEnumerable<(AffineIndex, KBuffer)> read = ExprAnalysis.All(_fusion.Roots.Select(r => r.Element)).OfType<LoadExpr>()
            .Select(load => (AffineIndex.Of(load), _fusion.Source.Source(load.Source)));
        Dim written = _fusion.Hero.Shape.ElementCount * _product.Result.SizeInBytes();
        bool isNear = written.IsStatic && written.Value <= _target.Caches.SecondLevelInBytes / 4;
        IEnumerable<(AffineIndex, KBuffer)> stored = isNear ? [] : _fusion.Roots.Select(r => (r.Store, r.Output));
        foreach ((AffineIndex index, KBuffer buffer) in read.Concat(stored))
        {
            bool isOfElement = index.Opaque.Count == 0 && index.Variables.All(_fusion.At.Contains) && index[_columns.Last] == 1;
            if (!isOfElement || _rows.All(group => index[group.Last] == 0))
            {
                continue;
            }
            int line = CacheSizes.LineInBytes / buffer.Element.SizeInBytes();
            KExpr first = _b.Let("epilogue", _emitter.EmitPosition(index));
            foreach (KExpr[] own in counters)
            {
                KExpr at = _b.Let("at", AtRow(first, index, own));
                for (int offset = 0; offset < columns.Vectors * _sum.Lanes; offset += line)
                {
                    _b.Add(new KPrefetch(buffer, KBuilder.Add(at, offset)));
                }
            }
        }
    }

    // The values of the row counters for consecutive rows: divisions for the first, then steps that carry over.
    private KExpr[][] RowCounters(TileRows rows)
    {
        var counters = new KExpr[rows.Count][];
        counters[0] = new KExpr[_rows.Count];
        KExpr rest = rows.First;
        for (int g = _rows.Count - 1; g >= 0; g--)
        {
            KExpr extent = KBuilder.Value(_rows[g].Extent);
            counters[0][g] = g == 0 ? rest : _b.Let("row", KBuilder.Remainder(rest, extent));
            rest = g == 0 ? rest : _b.Let("rows", KBuilder.Divide(rest, extent));
        }
        for (int i = 1; i < rows.Count; i++)
        {
            if (IsInOneRow(rows))
            {
                counters[i] = [.. counters[0].SkipLast(1), KBuilder.Add(counters[0][^1], i)];
                continue;
            }

            // Past the end the last row is repeated, so that nothing is read outside.
            KExpr? step = rows.End is null ? null : _b.Let("exists", KBuilder.Less(KBuilder.Add(rows.First, i), rows.End));
            counters[i] = Following(counters[i - 1], step);
        }
        return counters;
    }

    // The counters of the next row if a condition holds (null: always), else the same again.
    private KExpr[] Following(KExpr[] counters, KExpr? step)
    {
        var next = new KExpr[counters.Length];
        for (int g = counters.Length - 1; g >= 0; g--)
        {
            KExpr more = KBuilder.Add(counters[g], 1);
            KExpr stepped = _b.Let("row", step is null ? more : new KSelect(step, more, counters[g]));
            if (g == 0)
            {
                next[g] = stepped;
                continue;
            }
            step = _b.Let("carry", KBuilder.Call(ScalarOp.Equal, stepped, KBuilder.Value(_rows[g].Extent)));
            next[g] = _b.Let("row", new KSelect(step, 0, stepped));
        }
        return next;
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

    private void EmitEpilogue(
        RegisterTile tile, TileRows rows, KExpr[][] counters, KExpr column, PanelColumns columns, KExpr?[] masks)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            int row = i;
            if (rows.End is null || i == 0)
            {
                StoreRow(tile.Vectors, j => tile[row, j], counters[row], column, columns, masks);
            }
            else
            {
                _b.If(
                    KBuilder.Less(KBuilder.Add(rows.First, i), rows.End),
                    () => _emitter.InScope(() => StoreRow(tile.Vectors, j => tile[row, j], counters[row], column, columns, masks)));
            }
        }
    }

    private void StoreRow(
        int vectors, Func<int, KExpr> sums, KExpr[] counters, KExpr column, PanelColumns columns, KExpr?[] masks)
    {
        for (int j = 0; j < vectors; j++)
        {
            KExpr first = _b.Let("column", KBuilder.Add(_firstFeature, KBuilder.Add(column, j * _sum.Lanes)));
            KExpr sum = _b.Let("value", Round(sums(j)));
            int present = Math.Min(_sum.Lanes, (columns.Present ?? int.MaxValue) - (j * _sum.Lanes));
            if (present == _sum.Lanes)
            {
                StoreLanes(counters, first, sum, masks[j]);
                continue;
            }
            // Some processors take as long for one masked store as for a dozen plain ones: a known number of lanes goes in pieces.
            for (int lane = 0; lane < present;)
            {
                int size = (int)BitOperations.RoundUpToPowerOf2((uint)(present - lane) + 1) / 2;
                KExpr piece = new KShuffle(sum, Enumerable.Range(lane, size).ToValueList());
                StoreLanes(counters, KBuilder.Add(first, lane), _b.Let("piece", piece), null);
                lane += size;
            }
        }
    }

    private void StoreLanes(KExpr[] counters, KExpr first, KExpr value, KExpr? mask) => _emitter.WithVector(
        _product.Grouped?.Feature ?? _columns.Last, first, value.Type.Lanes, mask, () =>
        {
            for (int g = 0; g < _rows.Count; g++)
            {
                _emitter.Bind(_rows[g].Last, counters[g]);
            }
            _emitter.Bind(_fusion.Value, value);
            foreach (EpilogueRoot root in _fusion.Roots)
            {
                _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
            }
        });

    private KExpr Round(KExpr sum) => sum.Type.Element == _product.Result ? sum : new KConvert(sum, _product.Result);

    // Rows of a tile. With an end, rows from there on are computed from the last row again, and not stored.
    private sealed record TileRows(KExpr First, int Count, KExpr? End);

    // Columns of a panel: how many vectors hold them, and how many there are, as a number or else as an expression.
    private sealed record PanelColumns(int Vectors, int? Present, KExpr? Left);
}
