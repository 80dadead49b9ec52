using System.Numerics;

namespace Graphene.Codegen;

// What becomes of sums that are complete: the epilogue of the fusion, in registers, and the results in memory.
internal sealed partial class MatrixProductLowering
{
    // How many rows become one row of the results.
    private int RowsTogether => _fusion.Pooling?.Count ?? 1;

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
            for (int i = 0; i < counters.Length; i += RowsTogether)
            {
                KExpr at = _b.Let("at", AtRow(first, index, counters[i]));
                for (int offset = 0; offset < columns.Vectors * _sum.Lanes; offset += line)
                {
                    _b.Add(new KPrefetch(buffer, KBuilder.Add(at, offset)));
                }
            }
        }
    }

    private void EmitEpilogue(
        RegisterTile tile, TileRows rows, KExpr[][] counters, KExpr column, PanelColumns columns, KExpr?[] masks)
    {
        for (int i = 0; i < tile.Rows; i += RowsTogether)
        {
            int row = i;
            void Store() => StoreRow(
                tile.Vectors, (value, j) => tile[row + value, j], counters[row..(row + RowsTogether)], column, columns, masks);

            if (rows.End is null || i == 0)
            {
                Store();
            }
            else
            {
                _b.If(KBuilder.Less(KBuilder.Add(rows.First, i), rows.End), () => _emitter.InScope(Store));
            }
        }
    }

    // Stores a row of the results, each vector of which is made of one vector of sums, or of those of a window.
    private void StoreRow(
        int vectors, Func<int, int, KExpr> sums, KExpr[][] counters, KExpr column, PanelColumns columns, KExpr?[] masks)
    {
        for (int j = 0; j < vectors; j++)
        {
            KExpr first = _b.Let("column", KBuilder.Add(_firstFeature, KBuilder.Add(column, j * _sum.Lanes)));
            KExpr[] values = [.. Enumerable.Range(0, counters.Length).Select(i => _b.Let("value", Round(sums(i, j))))];
            int present = Math.Min(_sum.Lanes, (columns.Present ?? int.MaxValue) - (j * _sum.Lanes));
            if (present == _sum.Lanes)
            {
                StoreLanes(counters, first, values, masks[j]);
                continue;
            }
            // Some processors take as long for one masked store as for a dozen plain ones: a known number of lanes goes in pieces.
            for (int lane = 0; lane < present;)
            {
                int size = (int)BitOperations.RoundUpToPowerOf2((uint)(present - lane) + 1) / 2;
                ValueList<int> lanes = Enumerable.Range(lane, size).ToValueList();
                KExpr[] pieces = [.. values.Select(value => _b.Let("piece", new KShuffle(value, lanes)))];
                StoreLanes(counters, KBuilder.Add(first, lane), pieces, null);
                lane += size;
            }
        }
    }

    private void StoreLanes(KExpr[][] counters, KExpr first, KExpr[] values, KExpr? mask) => _emitter.WithVector(
        _product.Grouped?.Feature ?? _columns.Last, first, values[0].Type.Lanes, mask, () =>
        {
            if (_fusion.Pooling is { } pooling)
            {
                pooling.Emit(_emitter, i => BindRow(counters[i], values[i]));
            }
            BindRow(counters[0], values[0]);
            foreach (EpilogueRoot root in _fusion.Roots)
            {
                _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
            }
        });

    private void BindRow(KExpr[] counters, KExpr value)
    {
        for (int g = 0; g < _rows.Count; g++)
        {
            _emitter.Bind(_rows[g].Last, counters[g]);
        }
        _emitter.Bind(_fusion.Value, value);
    }

    private KExpr Round(KExpr sum) => sum.Type.Element == _product.Result ? sum : new KConvert(sum, _product.Result);
}
