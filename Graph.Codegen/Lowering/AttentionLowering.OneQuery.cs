namespace Graphene.Codegen;

/// <content>
/// A block of one query, as a step of decoding has: with no queries for lanes to be, lanes are keys. Each still sums over d in its order.
/// <code>
/// for key in keys by lanes
///   score[key ..] = f(sum over d of keys[key ..][d] * query[d])      keys lie side by side, or squares of them are transposed in registers
/// </code>
/// </content>
internal sealed partial class AttentionLowering
{
    private const int MostVectorsOfKeys = 4;

    // Keys that lie side by side for each d, or each by itself.
    private bool HasKeysInLanes => _lanes.IsScalar && _target.Lanes(_lanes.Element) > 1 && (KeysAreColumns || _access.Keys.Index[_access.Depth] == 1);

    private bool KeysAreColumns => _access.Keys.Index[_access.Key] == 1;

    private KExpr[] EmitScoresOfOne(QueryBlock block, KExpr begin, KExpr count)
    {
        int lanes = _target.Lanes(_lanes.Element);
        KRegister max = _b.Declare("max", new KConstant(Scalar.Lowest(_lanes.Element), lanes));
        KExpr from = 0;
        if (KeysAreColumns)
        {
            from = EmitWhole(from, MostVectorsOfKeys);
        }
        from = EmitWhole(from, 1);
        _emitter.EmitTail(count, from, lanes, mask => EmitVectorsOfKeys(
            block, new KeyPart(begin, from, KBuilder.Subtract(count, from)), 1, mask, max));
        return [LaneJoin.Emit(_b, new KRead(max), Larger)];

        KExpr EmitWhole(KExpr first, int vectors)
        {
            long step = (long)lanes * vectors;
            KExpr whole = _b.Let("whole", KBuilder.Add(
                first, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(count, first), step), step)));
            _b.For("key", first, whole, step, key => EmitVectorsOfKeys(block, new KeyPart(begin, key, step), vectors, null, max));
            return whole;
        }
    }

    private void EmitVectorsOfKeys(QueryBlock block, KeyPart part, int vectors, KExpr? mask, KRegister max) => _emitter.InScope(() =>
    {
        int lanes = _target.Lanes(_lanes.Element);
        KExpr key = _b.Let("key", KBuilder.Add(part.First, part.Place));
        var tile = new RegisterTile(_b, 1, vectors, _lanes with { Lanes = lanes });
        _emitter.Bind(_access.Key, key);
        KExpr start = _b.Let("keys", _emitter.EmitPosition(_access.Keys.Index));
        if (KeysAreColumns)
        {
            KBuffer keys = _source.Source(_access.Keys.Load.Source);
            KExpr stride = KBuilder.Value(_access.Keys.Index[_access.Depth]);
            _b.For("d", 0, _depth, 1, d => tile.Accumulate(_ => new KLoad(block.Packed, d), j => new KLoad(
                keys, KBuilder.Add(KBuilder.Add(start, KBuilder.Multiply(d, stride)), j * lanes), lanes, mask)), 4);
        }
        else
        {
            EmitSquares(block, start, mask is null ? null : part.Count, tile);
        }
        KExpr? largest = null;
        for (int j = 0; j < vectors; j++)
        {
            int offset = j * lanes;
            _emitter.WithVector(_access.Key, _b.Let("key", KBuilder.Add(key, offset)), lanes, mask, () =>
            {
                _emitter.BindGroup(_queries, block.First);
                _emitter.Bind(_access.Product, _b.Let("product", tile[0, j]));
                KExpr score = _b.Let("score", _emitter.EmitLanes(_access.Score));
                Scores.StoreRow(KBuilder.Add(part.Place, offset), score, mask);
                largest = largest is null ? score : _b.Let("larger", Larger(largest, score));
            });
        }
        KExpr before = new KRead(max);
        KExpr now = Larger(before, largest!);
        _b.Assign(max, mask is null ? now : new KSelect(mask, now, before));
    });

    // As many keys as lanes, and as many of their elements at a time. Lanes without a key take the last one's elements.
    private void EmitSquares(QueryBlock block, KExpr start, KExpr? present, RegisterTile tile)
    {
        int lanes = tile.Type.Lanes;
        KBuffer keys = _source.Source(_access.Keys.Load.Source);
        KExpr stride = KBuilder.Value(_access.Keys.Index[_access.Key]);
        KExpr[] rows = [.. Enumerable.Range(0, lanes).Select(i => _b.Let("row", KBuilder.Add(start, KBuilder.Multiply(
            present is null ? i : KBuilder.Minimum(i, KBuilder.Subtract(present, 1)), stride))))];
        long whole = _depth / lanes * lanes;
        _b.For("d", 0, whole, lanes, d => Take(d, lanes, null));
        if (whole < _depth)
        {
            Take(whole, (int)(_depth - whole), _b.Let("some", KBuilder.Less(new KRamp(0, 1, lanes), KBuilder.Broadcast(_depth - whole, lanes))));
        }

        void Take(KExpr d, int count, KExpr? some)
        {
            KExpr[] columns = VectorTranspose.Emit(_b, [.. rows.Select(row => _b.Let("row", new KLoad(keys, KBuilder.Add(row, d), lanes, some)))]);
            for (int i = 0; i < count; i++)
            {
                int column = i;
                tile.Accumulate(_ => new KLoad(block.Packed, KBuilder.Add(d, column)), _ => columns[column]);
            }
        }
    }
}
