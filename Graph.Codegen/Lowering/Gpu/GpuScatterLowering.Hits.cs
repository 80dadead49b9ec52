namespace Graphene.Codegen;

/// <content>Finding what goes to a tile, and applying it in order.</content>
internal sealed partial class GpuScatterLowering
{
    private void EmitPlaces(Own own, Action? prepare)
    {
        var hits = new GpuOrderedHits(_b, _thread, Threads, PlacesPerThread);
        KExpr count = _b.Let("places", KBuilder.Value(Places));
        _b.For("first", 0, count, PlacesAtOnce, first => _source.Emitter.InScope(() =>
        {
            KExpr found = hits.Collect(place => EmitHit(own, KBuilder.Add(first, place), count));
            void Apply()
            {
                prepare?.Invoke();
                _b.For("hit", 0, found, HitsAtOnce, hit => _source.Emitter.InScope(() => EmitHits(own, hits, first, hit, found)));
            }

            if (prepare is null)
            {
                Apply();
            }
            else
            {
                _b.If(KBuilder.Less(0, found), Apply);
            }
        }));
    }

    // The row of the tile that a place goes to, or -1.
    private KExpr EmitHit(Own own, KExpr place, KExpr count)
    {
        KRegister local = _b.Declare("local", -1);
        place = _b.Let("place", place);
        _b.If(KBuilder.Less(place, count), () => _source.Emitter.InScope(() =>
        {
            GpuElements.Bind(_source.Emitter, [.. _form.Places.Select(axis => _at[axis])], place);
            IndexVector to = ScatterLowering.Target(_op, _node, _source, _at);
            KExpr isInside = _source.Emitter.Emit(ScatterLowering.IsInside(_node, _source, to, _form.Rows));
            KExpr row = 0;
            foreach (int axis in _form.Rows)
            {
                row = KBuilder.Add(KBuilder.Multiply(row, KBuilder.Value(_node.Types[0].Shape[axis])), _source.Emitter.Emit(to[axis]));
            }
            KExpr here = _b.Let("here", KBuilder.Subtract(row, own.FirstRow));
            KExpr isHere = KBuilder.Call(ScalarOp.And, KBuilder.Call(ScalarOp.LessOrEqual, 0, here), KBuilder.Less(here, _tileRows));
            _b.Assign(local, new KSelect(KBuilder.Call(ScalarOp.And, isInside, isHere), here, -1));
        }));
        return new KRead(local);
    }

    private void EmitHits(Own own, GpuOrderedHits hits, KExpr first, KExpr hit, KExpr found)
    {
        var conditions = new KExpr[HitsAtOnce];
        var rows = new KExpr[HitsAtOnce];
        var updates = new KRegister[HitsAtOnce][];
        for (int h = 0; h < HitsAtOnce; h++)
        {
            KExpr number = KBuilder.Add(hit, h);
            (KExpr place, rows[h]) = hits.Read(KBuilder.Minimum(number, KBuilder.Subtract(found, 1)));
            KExpr isOwn = KBuilder.Less(number, found);
            isOwn = Groups == 1 ? isOwn : And(isOwn, KBuilder.Call(ScalarOp.Equal, KBuilder.Remainder(rows[h], Groups), own.Group));
            conditions[h] = _b.Let("isOwn", And(isOwn, own.IsColumn));
            updates[h] = [.. _node.Types.Select(t => _b.Declare("update", new KConstant(Scalar.Zero(t.DType), _lanes)))];
            int now = h;
            _b.If(conditions[h], () => _source.Emitter.InScope(() =>
            {
                GpuElements.Bind(_source.Emitter, [.. _form.Places.Select(axis => _at[axis])], _b.Let("place", KBuilder.Add(first, place)));
                for (int i = 0; i < _results; i++)
                {
                    KExpr at = _source.Emitter.EmitPosition(AffineIndex.Of(IndexVector.From(_at), _node.Operands[_results + 1 + i].Type));
                    _b.Assign(updates[now][i], new KLoad(_source.Inputs[_results + 1 + i], at, _lanes, Alignment: _lanes));
                }
            }));
        }
        for (int h = 0; h < HitsAtOnce; h++)
        {
            int now = h;
            _b.If(conditions[h], () => _source.Emitter.InScope(() => Combine(own, rows[now], updates[now])));
        }
    }

    private void Combine(Own own, KExpr row, KRegister[] updates)
    {
        KExpr place = Place(own, row);
        ScalarExpr[] present = Values([.. own.Tiles.Select(t => new KLoad(t, place, _lanes, Alignment: _lanes))]);
        ScalarExpr[] update = Values([.. updates.Select(u => new KRead(u))]);
        KExpr[] values = [.. _source.Apply(_op.Body, [.. present, .. update]).Select(_source.Emitter.Emit)];
        for (int i = 0; i < _results; i++)
        {
            _b.Add(new KStore(own.Tiles[i], place, KBuilder.Broadcast(values[i], _lanes), Alignment: _lanes));
        }
    }

    private ScalarExpr[] Values(KExpr[] values)
    {
        var all = new ScalarExpr[values.Length];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = _source.F.Placeholder(values[i].Type.Element);
            _source.Emitter.Bind(all[i], _b.Let("value", values[i]));
        }
        return all;
    }
}
