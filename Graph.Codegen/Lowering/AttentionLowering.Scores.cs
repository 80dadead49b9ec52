namespace Graphene.Codegen;

/// <content>The first product: scores of keys by queries.</content>
internal sealed partial class AttentionLowering
{
    // scores[key - begin][lane] for count keys; gives the largest of each lane.
    private KExpr[] EmitScores(QueryBlock block, KExpr begin, KExpr count)
    {
        if (HasKeysInLanes)
        {
            return EmitScoresOfOne(block, begin, count);
        }
        KRegister[] max = [.. Enumerable.Range(0, _vectors).Select(_ => _b.Declare("max", Constant(Scalar.Lowest(_lanes.Element))))];
        if (!_terms.Any)
        {
            EmitScoreTiles(new KeyPart(begin, 0, count), block, max);
        }
        else if (count is KConstant { Value: var number } && (long)number.AsInteger <= _keysPerPart)
        {
            _terms.Prepare(block.First, block.Present, begin, count);
            EmitScoreTiles(new KeyPart(begin, 0, count), block, max);
        }
        else
        {
            _b.For("part", 0, count, _keysPerPart, part => _emitter.InScope(() =>
            {
                KExpr first = _b.Let("first", KBuilder.Add(begin, part));
                KExpr some = _b.Let("some", KBuilder.Minimum(KBuilder.Subtract(count, part), _keysPerPart));
                _terms.Prepare(block.First, block.Present, first, some);
                EmitScoreTiles(new KeyPart(first, part, some), block, max);
            }));
        }
        return [.. max.Select(m => _b.Let("max", new KRead(m)))];
    }

    private void EmitScoreTiles(KeyPart part, QueryBlock block, KRegister[] max)
    {
        int most = AttentionTiles.Rows(_vectors, _target);
        KExpr count = part.Count;
        KExpr from = 0;
        foreach (int rows in count is KConstant { Value: var number } ? [most, (int)((long)number.AsInteger % most)] : TileHeights(most))
        {
            if (rows == 0)
            {
                continue;
            }
            KExpr whole = _b.Let("whole", KBuilder.Add(
                from, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(count, from), rows), rows)));
            _b.For("key", from, whole, rows, key => EmitScoreTile(block, part, key, rows, max));
            from = whole;
        }
    }

    // What is left behind whole tiles is taken in smaller ones.
    private static int[] TileHeights(int most) => most > 4 ? [most, 4, 1] : [most, 1];

    private void EmitScoreTile(QueryBlock block, KeyPart part, KExpr place, int rows, KRegister[] max) => _emitter.InScope(() =>
    {
        var tile = new RegisterTile(_b, rows, _vectors, _lanes);
        (LoadExpr load, AffineIndex index) = _access.Keys;
        KBuffer keys = _source.Source(load.Source);
        KExpr key = _b.Let("key", KBuilder.Add(part.First, place));
        _emitter.Bind(_access.Key, key);
        KExpr start = _b.Let("keys", _emitter.EmitPosition(index));
        KExpr[] bases = [.. Enumerable.Range(0, rows).Select(
            i => _b.Let("a", KBuilder.Add(start, KBuilder.Multiply(i, KBuilder.Value(index[_access.Key])))))];
        KExpr stride = KBuilder.Value(index[_access.Depth]);
        _b.For("d", 0, _depth, 1, d => tile.Accumulate(
            i => new KLoad(keys, KBuilder.Add(bases[i], KBuilder.Multiply(d, stride))),
            j => new KLoad(block.Packed, KBuilder.Add(KBuilder.Multiply(d, Width), j * _lanes.Lanes), _lanes.Lanes)), 4);
        for (int j = 0; j < _vectors; j++)
        {
            var scores = new KExpr[rows];
            KExpr query = _b.Let("query", KBuilder.Add(block.First, j * _lanes.Lanes));
            for (int i = 0; i < rows; i++)
            {
                KExpr at = _b.Let("at", KBuilder.Add(place, i));
                KExpr product = _b.Let("product", tile[i, j]);
                _emitter.WithVector(_queries.Last, query, _lanes.Lanes, block.Masks[j], () =>
                {
                    _emitter.Bind(_access.Key, KBuilder.Add(key, i));
                    _emitter.Bind(_access.Product, product);
                    _terms.Bind(at, j);
                    scores[i] = _b.Let("score", _emitter.EmitLanes(_access.Score));
                    Scores.Store(KBuilder.Add(part.Place, at), j, scores[i]);
                });
            }
            _b.Assign(max[j], Larger(new KRead(max[j]), LargestOf(scores)));
        }
    });

    private KExpr LargestOf(ReadOnlySpan<KExpr> scores) => scores.Length == 1 ? scores[0] : _b.Let(
        "larger", Larger(LargestOf(scores[..(scores.Length / 2)]), LargestOf(scores[(scores.Length / 2)..])));

    // NaN may get lost here: one among the scores makes the sum of the exponentials NaN, and so all weights.
    private static KExpr Larger(KExpr a, KExpr b) => new KSelect(KBuilder.Less(b, a), a, b);

    /// <summary>Keys whose scores are computed together.</summary>
    /// <param name="First">The first one.</param>
    /// <param name="Place">The row of scores that it has.</param>
    /// <param name="Count">How many there are.</param>
    private sealed record KeyPart(KExpr First, KExpr Place, KExpr Count);
}
