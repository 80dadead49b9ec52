namespace Graphene.Codegen;

// Rows of a register tile: the values of their counters, and where they begin in the left operand.
//
// A convolution whose values are pooled has the windows one after the other, and the values of a window as consecutive rows, so that one
// tile has them all:
//
//   row      0 1 2 3   4 5 6 7   ...        2 x 2: values (0,0) (0,1) (1,0) (1,1) of the first window, then those of its neighbour
internal sealed partial class MatrixProductLowering
{
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

    // The values of the row counters for consecutive rows. Tiles have whole windows, whose values' counters are known.
    private KExpr[][] RowCounters(TileRows rows)
    {
        if (_fusion.Pooling is not { } pooling)
        {
            return ConsecutiveCounters(rows, _rows.Count);
        }
        KExpr InWindows(KExpr row) => KBuilder.Divide(row, pooling.Count);
        var windows = new TileRows(InWindows(rows.First), rows.Count / pooling.Count, rows.End is null ? null : InWindows(rows.End));
        return
        [
            .. from window in ConsecutiveCounters(windows, _rows.Count - pooling.Loop.Variables.Count)
               from value in Enumerable.Range(0, pooling.Count)
               select (KExpr[])[.. window, .. pooling.CountersOf(value).Select(c => (KExpr)c)],
        ];
    }

    // The values of the outer counters for consecutive places: divisions for the first, then steps that carry over.
    private KExpr[][] ConsecutiveCounters(TileRows rows, int groups)
    {
        var counters = new KExpr[rows.Count][];
        counters[0] = new KExpr[groups];
        KExpr rest = rows.First;
        for (int g = groups - 1; g >= 0; g--)
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

    // Rows of a tile. With an end, rows from there on are computed from the last row again, and not stored.
    private sealed record TileRows(KExpr First, int Count, KExpr? End);
}
