namespace Graphene.Codegen;

/// <content>What a task does: tiles of features by positions, and how their sums get into the results.</content>
internal sealed partial class ChannelsFirstConvolutionLowering
{
    private KExpr EmitTask(Body body, KVariable task)
    {
        long width = (long)PositionTilesPerTask * TileWidth;
        KExpr positionBlocks = KBuilder.CeilDiv(KBuilder.Value(_geometry.Count), width);
        long blocks = _geometry.Count.IsStatic ? DimMath.CeilDiv(_geometry.Count.Value, width) : 1;
        long featureBlocks = Math.Clamp(DimMath.CeilDiv(TasksWanted, blocks * _op.FeatureGroups), 1, FeatureTiles);
        long tilesPerBlock = DimMath.CeilDiv(FeatureTiles, featureBlocks);
        featureBlocks = DimMath.CeilDiv(FeatureTiles, tilesPerBlock);

        KExpr block = _b.Let("block", KBuilder.Remainder(task, positionBlocks));
        KExpr rest = _b.Let("rest", KBuilder.Divide(task, positionBlocks));
        KExpr firstTile = _b.Let("tile0", KBuilder.Multiply(KBuilder.Remainder(rest, featureBlocks), tilesPerBlock));
        KExpr lastTile = _b.Let("tile1", KBuilder.Minimum(KBuilder.Add(firstTile, tilesPerBlock), FeatureTiles));
        rest = _b.Let("rest", KBuilder.Divide(rest, featureBlocks));
        KExpr group = _b.Let("group", KBuilder.Remainder(rest, _op.FeatureGroups));
        KExpr batch = _b.Let("batch", KBuilder.Divide(rest, _op.FeatureGroups));
        KExpr begin = _b.Let("q0", KBuilder.Multiply(block, width));
        KExpr end = _b.Let("q1", KBuilder.Minimum(KBuilder.Add(begin, width), KBuilder.Value(_geometry.Count)));
        KExpr planes = _b.Let("planes", KBuilder.Add(body.Strides.Start, KBuilder.Add(
            KBuilder.Multiply(batch, body.Strides.Batch),
            KBuilder.Multiply(KBuilder.Multiply(group, _inputs), body.Strides.Feature))));
        _emitter.Bind(_fusion.At[0], batch);
        KBuffer? scratch = _contiguous ? null : _b.Scratch("sums", _op.ResultType, width * _tileRows);
        _b.For("tile", firstTile, lastTile, 1, tile => _emitter.InScope(() =>
        {
            KExpr feature = _b.Let("feature", KBuilder.Add(
                KBuilder.Multiply(group, _outputs), KBuilder.Multiply(tile, _tileRows)));
            KExpr left = _b.Let("left", KBuilder.Subtract(_outputs, KBuilder.Multiply(tile, _tileRows)));
            KExpr weights = _b.Let("weights", PackedWeights(group, tile));
            _b.For("q", begin, end, TileWidth, q => _emitter.InScope(
                () => EmitPositions(body, new Place(planes, weights, feature, left, begin, end), q, scratch)));
            if (scratch is not null)
            {
                EmitRows(feature, left, begin, end, scratch);
            }
        }));
        Dim outer = _fusion.At[0].Extent * _op.FeatureGroups * featureBlocks;
        return KBuilder.Multiply(KBuilder.Value(outer), positionBlocks);
    }

    // Where a tile's weights begin. Where several machines share them, a panel may have the features of several tiles.
    private KExpr PackedWeights(KExpr group, KExpr tile)
    {
        long tiles = _packedRows / _tileRows;
        KExpr panel = KBuilder.Add(
            KBuilder.Multiply(group, DimMath.CeilDiv(_outputs, _packedRows)), KBuilder.Divide(tile, tiles));
        return KBuilder.Add(
            KBuilder.Multiply(panel, (long)_inputs * _geometry.Positions.Count * _packedRows),
            KBuilder.Multiply(KBuilder.Remainder(tile, tiles), _tileRows));
    }

    // One register tile of positions. Planes in the workspace may be read past their end; an input where it lies may not.
    private void EmitPositions(Body body, Place place, KExpr q, KBuffer? scratch)
    {
        void Tile(KExpr?[] masks)
        {
            var tile = new RegisterTile(_b, _tileRows, _tileVectors, _sum);
            Accumulate(tile, body, place, q, masks);
            if (scratch is null)
            {
                EmitContiguous(tile, place, q, masks);
            }
            else
            {
                Spill(tile, scratch, KBuilder.Subtract(q, place.Begin));
            }
        }

        KExpr?[] none = new KExpr?[_tileVectors];
        if (_geometry.NeedsCopy && scratch is not null)
        {
            Tile(none);
            return;
        }
        KExpr left = _b.Let("left", KBuilder.Subtract(place.End, q));
        _b.If(
            KBuilder.Call(ScalarOp.LessOrEqual, TileWidth, left),
            () => _emitter.InScope(() => Tile(none)),
            () => _emitter.InScope(() => Tile([.. Enumerable.Range(0, _tileVectors).Select(Mask)])));

        KExpr Mask(int vector) =>
            _b.Let("mask", KBuilder.Less(new KRamp(vector * _sum.Lanes, 1, _sum.Lanes), left));
    }

    private void Accumulate(RegisterTile tile, Body body, Place place, KExpr q, KExpr?[] masks)
    {
        void Position(KExpr offset, KExpr number)
        {
            KExpr from = _b.Let("from", KBuilder.Add(KBuilder.Add(place.Planes, q), offset));
            KExpr weights = _b.Let("w", KBuilder.Add(
                place.Weights, KBuilder.Multiply(number, (long)_inputs * _packedRows)));
            _b.For("c", 0, _inputs, 1, c =>
            {
                KExpr column = _b.Let("column", KBuilder.Add(from, KBuilder.Multiply(c, body.Strides.Feature)));
                KExpr row = _b.Let("row", KBuilder.Add(weights, KBuilder.Multiply(c, _packedRows)));
                tile.Accumulate(
                    i => tile.Widen(new KLoad(body.Weights, KBuilder.Add(row, i))),
                    j => tile.Widen(new KLoad(body.Planes, KBuilder.Add(column, j * _sum.Lanes), _sum.Lanes, masks[j])));
            }, unroll: 4);
        }

        if (body.Offsets is { } table)
        {
            _b.For("position", 0, _geometry.Positions.Count, 1, number => Position(_b.Let("offset", new KLoad(table, number)), number));
            return;
        }
        for (int i = 0; i < _geometry.Positions.Count; i++)
        {
            Position(KBuilder.Value(_geometry.Offset(_geometry.Positions[i])), i);
        }
    }

    private KExpr Round(KExpr sum) => sum.Type.Element == _op.ResultType ? sum : new KConvert(sum, _op.ResultType);

    private void Spill(RegisterTile tile, KBuffer scratch, KExpr at)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            for (int j = 0; j < tile.Vectors; j++)
            {
                _b.Store(scratch, KBuilder.Add(at, ((long)i * PositionTilesPerTask * TileWidth) + (j * _sum.Lanes)), Round(tile[i, j]));
            }
        }
    }

    // Output rows are as long as plane rows: the positions of the tile are consecutive in the results too.
    private void EmitContiguous(RegisterTile tile, Place place, KExpr q, KExpr?[] masks)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            int row = i;
            void StoreRow()
            {
                for (int j = 0; j < tile.Vectors; j++)
                {
                    KExpr value = _b.Let("value", Round(tile[row, j]));
                    EmitRoots(KBuilder.Add(place.Feature, row), 0, KBuilder.Add(q, j * _sum.Lanes), masks[j], value);
                }
            }

            if (_outputs % _tileRows == 0)
            {
                StoreRow();
            }
            else
            {
                _b.If(KBuilder.Less(row, place.FeaturesLeft), () => _emitter.InScope(StoreRow));
            }
        }
    }

    // From scratch into the results, one output row after another; positions behind the end of a row are dropped.
    private void EmitRows(KExpr feature, KExpr left, KExpr begin, KExpr end, KBuffer scratch)
    {
        KExpr rows = KBuilder.Minimum(left, _tileRows);
        KExpr length = KBuilder.Value(_geometry.RowLength);
        KExpr firstRow = _b.Let("y0", KBuilder.Divide(begin, length));
        KExpr lastRow = _b.Let("y1", KBuilder.Add(KBuilder.Divide(KBuilder.Subtract(end, 1), length), 1));
        _b.For("i", 0, rows, 1, i => _b.For("y", firstRow, lastRow, 1, y => _emitter.InScope(() =>
        {
            KExpr start = _b.Let("start", KBuilder.Multiply(y, length));
            KExpr x0 = _b.Let("x0", KBuilder.Maximum(0, KBuilder.Subtract(begin, start)));
            KExpr x1 = _b.Let("x1", KBuilder.Minimum(KBuilder.Value(_geometry.Width), KBuilder.Subtract(end, start)));
            KExpr from = _b.Let("from", KBuilder.Add(
                KBuilder.Multiply(i, (long)PositionTilesPerTask * TileWidth), KBuilder.Subtract(start, begin)));
            KExpr now = _b.Let("feature", KBuilder.Add(feature, i));
            _b.For("x", x0, x1, _sum.Lanes, x => _emitter.InScope(() =>
            {
                KExpr mask = _b.Let("mask", KBuilder.Less(new KRamp(0, 1, _sum.Lanes), KBuilder.Subtract(x1, x)));
                KExpr value = _b.Let("value", new KLoad(scratch, KBuilder.Add(from, x), _sum.Lanes, mask));
                EmitRoots(now, y, x, mask, value);
            }));
        })));
    }

    private void EmitRoots(KExpr feature, KExpr y, KExpr x, KExpr? mask, KExpr value)
    {
        IndexVariable[] at = _fusion.At;
        _emitter.WithVector(at[^1], x, _sum.Lanes, mask, () =>
        {
            _emitter.Bind(at[1], _b.Let("feature", feature));
            if (at.Length == 4)
            {
                _emitter.Bind(at[2], y);
            }
            _emitter.Bind(_fusion.Value, value);
            foreach (EpilogueRoot root in _fusion.Roots)
            {
                _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
            }
        });
    }

    private sealed record Body(
        KBuffer Planes, KBuffer Weights, (KExpr Start, KExpr Batch, KExpr Feature) Strides, KBuffer? Offsets);

    private sealed record Place(KExpr Planes, KExpr Weights, KExpr Feature, KExpr FeaturesLeft, KExpr Begin, KExpr End);
}
