namespace Graphene.Codegen;

// Where the right operand is read from: packed while compiling, from memory, or packed panel by panel into scratch.
internal sealed partial class MatrixProductLowering
{
    // The right operand when it is a constant of the graph.
    private ConstantOp? Constant(Node fusion) => _rhs.Load.Source < _fusion.Source.Body.Parameters.Length
        ? fusion.Operands[_rhs.Load.Source].Op as ConstantOp
        : null;

    // A constant right operand is packed here and now; the kernel never sees the original.
    private void PackConstant(Node fusion)
    {
        if (Constant(fusion) is not { } constant)
        {
            return;
        }
        AffineIndex index = _rhs.Index;
        long[] columns = Offsets(index, [_columns]);
        long[] depth = Offsets(index, _depth);
        long[] batches = [.. Offsets(index, _batch.Where(IsBatchOfConstant)).Select(o => o + index.Constant.Value)];
        var packed = new PackedPanels(constant.Value, [.. batches], [.. depth], [.. columns], _packedWidth);
        if (_narrow is not null)
        {
            PackGroups(_narrow, packed);
            return;
        }
        _packed = _fusion.Source.Arguments.Input("packed", packed.DType, new KernelOperand.Constant(packed));
    }

    private bool IsBatchOfConstant(LoopGroup group) => group.Members.Any(member => _rhs.Index[member] != 0);

    // The element offsets of all values of some counters, the first counter slowest.
    private static long[] Offsets(AffineIndex index, IEnumerable<LoopGroup> groups)
    {
        IEnumerable<long> offsets = [0];
        foreach (IndexVariable counter in groups.SelectMany(g => g.Members))
        {
            long stride = index[counter].Value;
            int extent = checked((int)counter.Extent.Value);
            offsets = [.. offsets.SelectMany(o => Enumerable.Range(0, extent).Select(i => o + (i * stride)))];
        }
        return [.. offsets];
    }

    // Gives vector j of the panel at an offset of k.
    private Func<KExpr, KExpr, int, KExpr> RightOperand(KExpr panel, KBuffer? scratch, KExpr?[] masks)
    {
        if (_packed is not null)
        {
            KExpr start = _b.Let("packed", KBuilder.Add(PackedPanel(panel), KBuilder.Multiply(FirstDepth(), _packedWidth)));
            return (_, k, j) => new KLoad(_packed, KBuilder.Add(
                KBuilder.Add(start, KBuilder.Multiply(k, _packedWidth)), PackedVector(j, _depthCount.Value)), _sum.Lanes);
        }
        if (scratch is not null)
        {
            return (_, k, j) => new KLoad(
                scratch, KBuilder.Add(KBuilder.Multiply(k, PanelWidth), j * _sum.Lanes), _sum.Lanes);
        }
        KBuffer rhs = _fusion.Source.Source(_rhs.Load.Source);
        KExpr position = _b.Let("rhs", _emitter.EmitPosition(_rhs.Index));
        Dim stride = _rhs.Index[_columns.Last];
        if (stride == 1)
        {
            return (offset, _, j) => new KLoad(
                rhs, KBuilder.Add(KBuilder.Add(position, offset), j * _sum.Lanes), _sum.Lanes, masks[j]);
        }
        KExpr lanes = KBuilder.Value(stride);
        return (offset, _, j) => new KGather(
            rhs,
            new KRamp(KBuilder.Add(KBuilder.Add(position, offset), KBuilder.Multiply(j * _sum.Lanes, lanes)), lanes, _sum.Lanes),
            masks[j]);
    }

    private KExpr PackedPanel(KExpr panel) => PackedColumns(panel, _depthCount.Value);

    // Where a tile's columns begin in the packed matrix, which has so many elements for each column. Where several machines share
    // the matrix, this one's tiles may be parts of its panels, or several panels.
    private KExpr PackedColumns(KExpr panel, long elements)
    {
        if (!IsPartOfPanel)
        {
            long panels = PanelWidth / _packedWidth;
            return KBuilder.Multiply(PanelNumber(KBuilder.Multiply(panel, panels)), elements * _packedWidth);
        }
        long tiles = _packedWidth / PanelWidth;
        return KBuilder.Add(
            KBuilder.Multiply(PanelNumber(KBuilder.Divide(panel, tiles)), elements * _packedWidth),
            KBuilder.Multiply(KBuilder.Remainder(panel, tiles), PanelWidth * WidthOfColumn));
    }

    // Where a tile's vector begins, counted from the tile's first column.
    private long PackedVector(int vector, long elements)
    {
        (long panel, long column) = Math.DivRem((long)vector * _sum.Lanes, _packedWidth);
        return (panel * elements * _packedWidth) + (column * WidthOfColumn);
    }

    private bool IsPartOfPanel => PanelWidth < _packedWidth;

    // How many elements of one k, or of one group of them, a column has side by side.
    private int WidthOfColumn => _narrow?.Group ?? 1;

    // The width of a constant's panels when other machines decide it; 0 when it is that of this machine's tiles.
    private int WidthOfSharedPanels(Node fusion)
    {
        if (!_isConstant || _target.Panels is not { } shared)
        {
            return 0;
        }
        int widest = shared.WidestBits / _sum.Element.SizeInBits();
        return (int)DimMath.CeilDiv(new MatrixProductLowering(fusion, _product, shared.Columns).PanelWidth, widest) * widest;
    }

    // Tiles must divide the panels that others decided, or be several.
    private bool FitsPanels(int vectors) =>
        _packedWidth == 0 || _packedWidth % (vectors * _sum.Lanes) == 0 || vectors * _sum.Lanes % _packedWidth == 0;

    // Gives what asks for a part of the next panel at each k. The tiles of this panel share that evenly, so that the memory works while
    // they compute; without it, the first tile waits for all of a panel and the others for nothing.
    private Action<KExpr>? PrefetchNextPanel(KExpr panel, KExpr firstRow, KExpr lastRow, KExpr row)
    {
        if (_packed is null || _rowsPerBlock < 2 * _tileRows || IsNearAnyway() || PushesOutThisPanel())
        {
            return null;
        }
        int line = CacheSizes.LineInBytes / _sum.Element.SizeInBytes();
        KExpr rows = _rowCount.IsStatic ? _rowsPerBlock : KBuilder.Subtract(lastRow, firstRow);
        KExpr share = _b.Let("share", KBuilder.Divide(PanelWidth - 1, KBuilder.CeilDiv(rows, _tileRows)));
        KExpr step = _b.Let("step", KBuilder.Add(share, 1));
        KExpr tile = KBuilder.Divide(KBuilder.Subtract(row, firstRow), _tileRows);

        // What a tile reads is one run of memory, of which each takes a piece. Of a part of a panel, each takes a few columns.
        KExpr start = _b.Let("next", KBuilder.Add(
            NextPackedPart(panel),
            KBuilder.Multiply(tile, IsPartOfPanel ? step : KBuilder.Multiply(DepthAtOnce, step))));
        long linesPerStep = step is KConstant known ? DimMath.CeilDiv((long)known.Value.AsInteger, line) : 1;
        return k =>
        {
            KExpr at = KBuilder.Add(start, KBuilder.Multiply(k, IsPartOfPanel ? _packedWidth : step));
            for (long i = 0; i < linesPerStep; i++)
            {
                _b.Add(new KPrefetch(_packed, KBuilder.Add(at, i * line)));
            }
        };
    }

    private bool PushesOutThisPanel() =>
        2 * PanelWidth * DepthAtOnce * _sum.Element.SizeInBytes() > _target.Caches.SecondLevelInBytes * 3 / 4;

    // All of B stays in the second cache from one block of rows, or one run, to the next.
    private bool IsNearAnyway() =>
        _columns.Extent.Value * _depthCount.Value * _sum.Element.SizeInBytes() <= _target.Caches.SecondLevelInBytes / 4;

    // The number of the packed matrix: over those batch counters that the constant depends on.
    private KExpr PackedBatch()
    {
        KExpr number = 0;
        foreach (LoopGroup group in _batch.Where(IsBatchOfConstant))
        {
            number = KBuilder.Add(KBuilder.Multiply(number, KBuilder.Value(group.Extent)), _emitter.Emit(group.Last));
        }
        return _b.Let("matrix", number);
    }
}
