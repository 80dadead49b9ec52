namespace Graphene.Codegen;

// Long sums, in blocks of k:
//
//   sums = 0                                      a task's, in scratch
//   for block of k                                its part of a panel of B is packed and stays in the second cache
//     for panel, tile: sums += a * b
//   for panel, tile: epilogue(sums)
//
// Without blocks each row tile reads a whole panel, which for sums of thousands of terms comes from memory again and again: gradients
// of kernels and of weights sum over all positions of a batch. A sum that is stored and loaded is the same sum.
internal sealed partial class MatrixProductLowering
{
    private const int FewTasks = 4;

    // Fewer are one or two tiles, which read B once or twice in any case.
    private const int FewestRowsOfBlocks = 24;
    private const int MostColumnsOfSums = 256;
    private const int MostVectorsOfLongSums = 4;

    private readonly bool _isConstant;
    private readonly bool _mayBlockDepth;
    private readonly DepthBlock? _depthBlock;
    private DepthRange[]? _ranges;
    private KBuffer? _sums;
    private KExpr _firstPanel = 0;
    private long _panelsPerBlock;

    private enum Phase
    {
        All,
        Accumulate,
        Finish,
    }

    // Panels are shared out first: that packs nothing twice.
    private long PanelsOfSums => Math.Clamp(
        Count(_batch).Value * DimMath.CeilDiv(_columns.Extent.Value, PanelWidth) / FewTasks, 1, Math.Max(1, MostColumnsOfSums / PanelWidth));

    private long MostRowsOfSums => Math.Max(
        1, LargestScratchInBytes / (PanelsOfSums * PanelWidth * _sum.Element.SizeInBytes()) / _tileRows) * _tileRows;

    // At least 512 terms between a load and a store of a sum.
    private long MostVectorsOfBlock => Math.Clamp(
        LargestScratchInBytes / (512 * _sum.Lanes * _rhs.Load.DType.SizeInBytes()), 1, MostVectorsOfLongSums);

    // The number of k whose part of the operands is in use at a time.
    private long DepthAtOnce => _depthBlock?.Depth ?? _depthCount.Value;

    private bool MayBlockDepth() => !_isConstant && _narrow is null && !CopiesLeft && _product.Grouped is null
        && _depth.Count > 0 && _depthCount.IsStatic && _columns.Extent.IsStatic && Count(_batch).IsStatic
        && _rowCount.IsStatic && _rowCount.Value >= (_rhs.Index[_columns.Last] == 1 ? FewestRowsOfBlocks : 2)
        && _depthCount.Value * 2 * _sum.Lanes * _rhs.Load.DType.SizeInBytes() > LargestScratchInBytes;

    private DepthBlock? ChooseDepthBlock()
    {
        if (!_mayBlockDepth)
        {
            return null;
        }
        long most = LargestScratchInBytes / (PanelWidth * _rhs.Load.DType.SizeInBytes());
        int group = _depth.Count - 1;
        long inner = 1;
        while (group > 0 && inner * _depth[group].Extent.Value <= most)
        {
            inner *= _depth[group].Extent.Value;
            group--;
        }
        long extent = Math.Max(1, _depth[group].Extent.Value);
        long blocks = DimMath.CeilDiv(extent, Math.Max(1, most / inner));
        long chunk = DimMath.CeilDiv(extent, blocks);
        return new DepthBlock(group, chunk, chunk * inner);
    }

    private void EmitDepthBlocks(KExpr firstPanel, long panelsPerBlock, Action<Phase> panels)
    {
        (_firstPanel, _panelsPerBlock) = (firstPanel, panelsPerBlock);
        long size = DimMath.CeilDiv(_rowsPerBlock, _tileRows) * _tileRows * panelsPerBlock * PanelWidth;
        _sums = _b.Scratch("sums", _sum.Element, size);
        _b.For("i", 0, size, _sum.Lanes, i => _b.Store(_sums, i, new KConstant(Scalar.Zero(_sum.Element), _sum.Lanes)));
        _ranges = new DepthRange[_depth.Count];
        EmitDepthBlock(0, () => panels(Phase.Accumulate));
        _ranges = null;
        panels(Phase.Finish);
    }

    private void EmitDepthBlock(int depth, Action body)
    {
        (int split, long chunk, _) = _depthBlock!;
        KExpr extent = KBuilder.Value(_depth[depth].Extent);
        if (depth < split)
        {
            _b.For("k", 0, extent, 1, at =>
            {
                _ranges![depth] = new DepthRange(at, null);
                EmitDepthBlock(depth + 1, body);
            });
            return;
        }
        for (int inner = split + 1; inner < _depth.Count; inner++)
        {
            _ranges![inner] = new DepthRange(0, KBuilder.Value(_depth[inner].Extent));
        }
        _b.For("k", 0, extent, chunk, begin =>
        {
            KExpr end = _depth[split].Extent.Value % chunk == 0
                ? KBuilder.Add(begin, chunk)
                : KBuilder.Minimum(KBuilder.Add(begin, chunk), extent);
            _ranges![split] = new DepthRange(begin, _b.Let("end", end));
            body();
        });
    }

    // The counters of a group of k in the block at work.
    private DepthRange RangeOf(int depth) => _ranges?[depth] ?? new DepthRange(0, KBuilder.Value(_depth[depth].Extent));

    // The number of the first k of the block, counted over all.
    private KExpr FirstDepth() => _ranges is null ? 0 : _b.Let("depth", Enumerable.Range(0, _depth.Count).Aggregate(
        (KExpr)0, (at, i) => KBuilder.Add(KBuilder.Multiply(at, KBuilder.Value(_depth[i].Extent)), _ranges[i].Begin)));

    // Where the sums of a row of a tile wait.
    private KExpr PlaceOfSums(KExpr panel, KExpr row) => _b.Let("sums", KBuilder.Multiply(
        KBuilder.Add(
            KBuilder.Multiply(KBuilder.Subtract(row, _firstRow), _panelsPerBlock), KBuilder.Subtract(panel, _firstPanel)), PanelWidth));

    private KExpr[] PlacesOfSums(KExpr panel, TileRows rows) => _sums is null
        ? []
        : [.. Enumerable.Range(0, rows.Count).Select(i => PlaceOfSums(panel, KBuilder.Add(rows.First, i)))];

    private void StoreSums(RegisterTile tile, KExpr[] places)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            for (int j = 0; j < tile.Vectors; j++)
            {
                _b.Store(_sums!, KBuilder.Add(places[i], j * _sum.Lanes), tile[i, j]);
            }
        }
    }

    // Blocks are chunks of one group of k, with all of the groups inside of it.
    private sealed record DepthBlock(int Group, long Chunk, long Depth);

    // Without an end, a single value.
    private sealed record DepthRange(KExpr Begin, KExpr? End);
}
