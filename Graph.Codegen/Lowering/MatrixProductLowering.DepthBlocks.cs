namespace Graphene.Codegen;

// Long sums, in blocks of k:
//
//   sums = 0                                      a task's, in scratch
//   for block of k                                the parts of A and B that it needs stay in the second cache
//     for panel, tile: sums += a * b
//   for panel, tile: epilogue(sums)
//
// Without blocks each row tile reads a whole panel, which for sums of thousands of terms comes from memory again and again: gradients
// of kernels and of weights sum over all positions of a batch, and a dense layer's rows push its panels out of the cache. Parts of a
// fed B are packed into scratch; a constant's are runs of its panels. A sum that is stored and loaded is the same sum.
internal sealed partial class MatrixProductLowering
{
    private const int FewTasks = 4;

    // Fewer are one or two tiles, which read B once or twice in any case.
    private const int FewestRowsOfBlocks = 24;
    private const int MostColumnsOfSums = 256;
    private const int MostVectorsOfLongSums = 4;
    private const int VectorsOfConstants = 3;

    // What a constant's panels are read with at a time. More rows would need shorter blocks of k, fewer would read B more often.
    private const int RowsOfLongSums = 128;
    private const int MostTasksOfConstants = 16;
    private const int FewestPanelsOfConstants = 2;

    private readonly bool _isConstant;
    private readonly bool _mayBlockDepth;
    private readonly DepthBlock? _depthBlock;
    private DepthRange[]? _ranges;
    private KBuffer? _sums;
    private KExpr _firstPanel = 0;
    private KExpr _lastPanel = 0;

    private enum Phase
    {
        All,
        Accumulate,
        Finish,
    }

    private long RowsAtOnce => _rowCount.IsStatic ? Math.Min(_rowCount.Value, RowsOfLongSums) : RowsOfLongSums;

    // Panels are shared out first: that packs nothing twice. Constants are packed anyway, so their tasks may be more.
    private long PanelsOfSums
    {
        get
        {
            long panels = Count(_batch).Value * DimMath.CeilDiv(_columns.Extent.Value, PanelWidth);
            long most = Math.Max(1, (_isConstant ? MostColumnsOfConstant : MostColumnsOfSums) / PanelWidth);
            return _isConstant
                ? Math.Clamp(RowBlocksOfConstant * panels / MostTasksOfConstants, Math.Min(FewestPanelsOfConstants, most), most)
                : Math.Clamp(panels / FewTasks, 1, most);
        }
    }

    // The rows of A come from beyond the cache once for each task's columns; an eighth of a large one has room for the sums of more of them.
    private long MostColumnsOfConstant => Math.Min(
        MostColumnsOfSums * 3 / 2,
        Math.Max(LargestScratchInBytes, _target.Caches.SecondLevelInBytes / 8) / (RowsAtOnce * _sum.Element.SizeInBytes()));

    private long RowBlocksOfConstant => _rowCount.IsStatic ? DimMath.CeilDiv(_rowCount.Value, RowsOfLongSums) : 1;

    private long MostRowsOfSums => Math.Max(1, (_isConstant ? RowsAtOnce + _tileRows - 1 : RowsOfScratch) / _tileRows) * _tileRows;

    private long RowsOfScratch => LargestScratchInBytes / (PanelsOfSums * PanelWidth * _sum.Element.SizeInBytes());

    // At least 512 terms between a load and a store of a sum.
    private long MostVectorsOfBlock => _isConstant ? MostVectorsOfLongSums : Math.Clamp(
        LargestScratchInBytes / (512 * _sum.Lanes * _rhs.Load.DType.SizeInBytes()), 1, MostVectorsOfLongSums);

    // The number of k whose part of the operands is in use at a time.
    private long DepthAtOnce => _depthBlock?.Depth ?? _depthCount.Value;

    private bool MayBlockDepth() => _narrow is null && !CopiesLeft && _product.Grouped is null
        && _depth.Count > 0 && _depthCount.IsStatic && _columns.Extent.IsStatic && Count(_batch).IsStatic
        && (_isConstant ? MayBlockConstant() : _rowCount.IsStatic
            && _rowCount.Value >= (_rhs.Index[_columns.Last] == 1 ? FewestRowsOfBlocks : 2)
            && _depthCount.Value * 2 * _sum.Lanes * _rhs.Load.DType.SizeInBytes() > LargestScratchInBytes);

    // The rows of a task, the panel at work and the one that is on its way take more than three quarters of the second cache.
    private bool MayBlockConstant() => RowsAtOnce >= FewestRowsOfBlocks
        && (RowsAtOnce * BytesPerRow()) + (2 * VectorsOfConstants * _sum.Lanes * _depthCount.Value * _rhs.Load.DType.SizeInBytes())
            > _target.Caches.SecondLevelInBytes * 3 / 4;

    // As many k as a panel in scratch has room for. Of constants, as many as fill half of the second cache with all that is in use.
    private long MostDepthOfBlock => _isConstant
        ? _target.Caches.SecondLevelInBytes / 2 / ((RowsAtOnce + (2 * PanelWidth)) * _rhs.Load.DType.SizeInBytes())
        : LargestScratchInBytes / (PanelWidth * _rhs.Load.DType.SizeInBytes());

    private DepthBlock? ChooseDepthBlock()
    {
        if (!_mayBlockDepth)
        {
            return null;
        }
        long most = MostDepthOfBlock;
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

    private void EmitDepthBlocks(KExpr firstRow, KExpr lastRow, KExpr firstPanel, KExpr lastPanel, Action<Phase> panels)
    {
        (_firstPanel, _lastPanel) = (firstPanel, lastPanel);
        long sizeOfTile = _tileRows * PanelsOfSums * PanelWidth;
        long size = DimMath.CeilDiv(_rowsPerBlock, _tileRows) * sizeOfTile;
        long computedInVain = _rowCount.IsStatic ? 0 : (RowsOfQuarterTiles - 2) * PanelsOfSums * PanelWidth;
        _sums = _b.Scratch("sums", _sum.Element, size + computedInVain);
        KExpr inUse = _rowCount.IsStatic ? size : _b.Let("size", KBuilder.Multiply(
            KBuilder.CeilDiv(KBuilder.Subtract(lastRow, firstRow), _tileRows), sizeOfTile));
        _b.For("i", 0, inUse, _sum.Lanes, i => _b.Store(_sums, i, new KConstant(Scalar.Zero(_sum.Element), _sum.Lanes)));
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

    // Where the part of a constant begins that is read after a panel of this block: the next panel's, or the first one's of the next block.
    private KExpr NextPackedPart(KExpr panel)
    {
        KExpr next = _b.Let("panel", KBuilder.Add(panel, 1));
        if (_ranges is null)
        {
            return PackedPanel(next);
        }
        KExpr isInBlock = KBuilder.Less(next, _lastPanel);
        KExpr depth = FirstDepth();
        KExpr later = _b.Let("depth", new KSelect(isInBlock, depth, KBuilder.Add(depth, DepthAtOnce)));
        return KBuilder.Add(
            PackedPanel(_b.Let("panel", new KSelect(isInBlock, next, _firstPanel))), KBuilder.Multiply(later, _packedWidth));
    }

    // Where the sums of a row of a tile wait.
    private KExpr PlaceOfSums(KExpr panel, KExpr row) => _b.Let("sums", KBuilder.Multiply(
        KBuilder.Add(
            KBuilder.Multiply(KBuilder.Subtract(row, _firstRow), PanelsOfSums), KBuilder.Subtract(panel, _firstPanel)), PanelWidth));

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
