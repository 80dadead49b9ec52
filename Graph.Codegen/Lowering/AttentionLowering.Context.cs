namespace Graphene.Codegen;

/// <content>The second product: weights by values.</content>
internal sealed partial class AttentionLowering
{
    // Adds weights times values of count keys to the running results, a few keys at a time: what several tiles read of weights
    // and values stays in the nearest cache.
    private void EmitContext(QueryBlock block, KExpr begin, KExpr count, Running running, IReadOnlyList<ScoreDivisor> divisors) =>
        _b.For("part", 0, count, KeysAtOnce, part => _emitter.InScope(() =>
        {
            KExpr some = _b.Let("some", KBuilder.Minimum(KBuilder.Subtract(count, part), KeysAtOnce));
            if (divisors.Count > 0)
            {
                Scores.EmitDivide(divisors, part, some);
            }
            EmitSums(block, KBuilder.Add(begin, part), part, some, running, (row, column, lanes, _, sum) =>
                _b.Store(running.Buffer, running.Place(row, column), sum));
        }));

    // Sums over keys, from zero or from running results, a tile at a time.
    private void EmitSums(
        QueryBlock block, KExpr firstKey, KExpr firstWeight, KExpr count, Running? running, Action<KExpr, KExpr, int, KExpr?, KExpr> use)
    {
        (int[] heights, int vectors) = AttentionTiles.Context(Width, _columns, _target, _lanes.Element);
        _emitter.Bind(_access.Key, firstKey);
        KExpr start = _b.Let("values", _emitter.EmitPosition(_access.Values.Index));
        AttentionTiles.ForEachPanel(_b, _columns, vectors, _target.Lanes(_lanes.Element), (column, lanes, masks) =>
        {
            int first = 0;
            foreach (int rows in heights)
            {
                KExpr query = first;
                void Tile() => _emitter.InScope(
                    () => EmitSumTile(new SumTile(query, rows, column, lanes, masks), start, firstWeight, count, running, use));
                if (_packing.IsAlwaysWhole || first == 0)
                {
                    Tile();
                }
                else
                {
                    _b.If(KBuilder.Less(query, block.Present), Tile);
                }
                first += rows;
            }
        });
    }

    private void EmitSumTile(
        SumTile at, KExpr start, KExpr firstWeight, KExpr count, Running? running, Action<KExpr, KExpr, int, KExpr?, KExpr> use)
    {
        (LoadExpr load, AffineIndex index) = _access.Values;
        KBuffer values = _source.Source(load.Source);
        Dim columnStride = index[_access.Column];
        KExpr keyStride = KBuilder.Value(index[_access.Key]);
        KExpr Row(int i) => KBuilder.Add(at.Query, i);
        KExpr Column(int j) => KBuilder.Add(at.Column, j * at.Lanes);
        var tile = new RegisterTile(_b, at.Rows, at.Masks.Length, _lanes with { Lanes = at.Lanes }, running is null
            ? null
            : (i, j) => new KLoad(running.Buffer, running.Place(Row(i), Column(j)), at.Lanes));
        KExpr from = _b.Let("from", KBuilder.Add(start, KBuilder.Multiply(at.Column, KBuilder.Value(columnStride))));
        _b.For("key", 0, count, 1, key =>
        {
            KExpr value = _b.Let("value", KBuilder.Add(from, KBuilder.Multiply(key, keyStride)));
            KExpr weight = _b.Let("weight", KBuilder.Add(firstWeight, key));
            tile.Accumulate(
                i => Scores.LoadLane(weight, Row(i)),
                j => LoadColumns(values, value, columnStride, j * at.Lanes, at.Lanes, at.Masks[j]));
        }, 4);
        for (int i = 0; i < at.Rows; i++)
        {
            for (int j = 0; j < at.Masks.Length; j++)
            {
                use(Row(i), _b.Let("column", Column(j)), at.Lanes, at.Masks[j], _b.Let("sum", tile[i, j]));
            }
        }
    }

    private static KExpr LoadColumns(KBuffer values, KExpr at, Dim stride, long first, int lanes, KExpr? mask)
    {
        KExpr distance = KBuilder.Value(stride);
        KExpr place = KBuilder.Add(at, KBuilder.Multiply(first, distance));
        return stride == 1 || lanes == 1
            ? new KLoad(values, place, lanes, mask)
            : new KGather(values, new KRamp(place, distance, lanes), mask);
    }

    private void StoreResult(QueryBlock block, KExpr row, KExpr column, int lanes, KExpr? mask, KExpr value)
    {
        if (_packing.IsAlwaysWhole)
        {
            StoreNow(block, row, column, lanes, mask, value);
        }
        else
        {
            _b.If(KBuilder.Less(row, block.Present), () => StoreNow(block, row, column, lanes, mask, value));
        }
    }

    private void StoreNow(QueryBlock block, KExpr row, KExpr column, int lanes, KExpr? mask, KExpr value) =>
        _emitter.WithVector(_access.Column, column, lanes, mask, () =>
        {
            _emitter.Bind(_queries.Last, KBuilder.Add(block.First, row));
            _emitter.Store(_source.Outputs[0], _access.Result, value);
        });

    /// <summary>Results that are not complete yet, one row per query.</summary>
    private sealed record Running(KBuffer Buffer, int Row)
    {
        public KExpr Place(KExpr query, KExpr column) => KBuilder.Add(KBuilder.Multiply(query, Row), column);
    }

    /// <summary>A tile of results: from a query on so many rows, from a column on a vector per mask.</summary>
    private sealed record SumTile(KExpr Query, int Rows, KExpr Column, int Lanes, KExpr?[] Masks);
}
