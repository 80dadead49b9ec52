namespace Graphene.Codegen;

// A right operand that is no constant, brought together panel by panel in scratch, in the order in which the register tiles walk it:
//
//   columns[k][lane] = B[k, column + lane]
//
// Read where it lies, a panel of a large matrix is two lines of each of many pages, which neither the address cache nor the prefetcher
// serve; packed once per task, it is one run of memory that all row tiles read. Only the place changes, so bits do not.
internal sealed partial class MatrixProductLowering
{
    // So many tiles must read a panel, or to copy it costs more than a tenth of their time.
    private const int FewestTilesOfPackedPanel = 4;

    // Rows of B that lie as near as this share pages and are prefetched by the processor.
    private const long BytesBetweenNearRows = 1024;

    private bool PacksRight => _packed is null && _depth.Count > 0 && _depthCount.IsStatic
        && DepthAtOnce * PanelWidth * _rhs.Load.DType.SizeInBytes() <= LargestScratchInBytes
        && (_rhs.Index[_columns.Last] == 1 ? IsFarApartAndReadOften : !_rowCount.IsStatic || _rowCount.Value >= _tileRows);

    private bool IsFarApartAndReadOften => _rowCount.IsStatic && _rowsPerBlock >= FewestTilesOfPackedPanel * _tileRows
        && (!_rhs.Index[_depth[^1].Last].IsStatic
            || _rhs.Index[_depth[^1].Last].Value * _rhs.Load.DType.SizeInBytes() >= BytesBetweenNearRows);

    // A panel whose columns are not consecutive must fit the scratch: gathered, it would be read element by element for each tile.
    // Constants are packed while compiling, whatever their order.
    private long MostVectorsOfScratch => _isConstant || _rhs.Index[_columns.Last] == 1
        ? long.MaxValue
        : Math.Max(1, LargestScratchInBytes / Math.Max(1, _depthCount.Value * _sum.Lanes * _rhs.Load.DType.SizeInBytes()));

    private KBuffer? PackIntoScratch(KExpr panel, KExpr column, KExpr left)
    {
        if (!PacksRight)
        {
            return null;
        }
        KBuffer rhs = _fusion.Source.Source(_rhs.Load.Source);
        KBuffer scratch = _b.Scratch("columns", rhs.Element, DepthAtOnce * PanelWidth);
        _emitter.Bind(_columns.Last, column);
        KExpr position = _b.Let("from", _emitter.EmitPosition(_rhs.Index));
        if (!_columns.Extent.IsStatic)
        {
            _b.If(
                KBuilder.Call(ScalarOp.LessOrEqual, PanelWidth, left),
                () => PackColumns(rhs, scratch, position, PanelWidth),
                () => PackLanes(rhs, scratch, position, 0, left, PanelWidth));
            return scratch;
        }
        int rest = (int)(_columns.Extent.Value % PanelWidth);
        if (rest == 0 || _columns.Extent.Value < PanelWidth)
        {
            PackColumns(rhs, scratch, position, rest == 0 ? PanelWidth : rest);
        }
        else
        {
            _b.If(
                KBuilder.Less(panel, _columns.Extent.Value / PanelWidth),
                () => PackColumns(rhs, scratch, position, PanelWidth),
                () => PackColumns(rhs, scratch, position, rest));
        }
        return scratch;
    }

    // A known number of columns: whole vectors of them at once, the rest lane by lane.
    private void PackColumns(KBuffer rhs, KBuffer scratch, KExpr position, int columns)
    {
        int whole = columns / _sum.Lanes * _sum.Lanes;
        if (_rhs.Index[_columns.Last] == 1)
        {
            CopyColumns(rhs, scratch, position, whole);
        }
        else if (_rhs.Index[_depth[^1].Last] == 1 && _depth[^1].Extent.Value >= _sum.Lanes)
        {
            _b.For("lane", 0, whole, _sum.Lanes, lane => TransposeColumns(rhs, scratch, position, lane));
        }
        else
        {
            whole = 0;
        }
        PackLanes(rhs, scratch, position, whole, columns, (int)DimMath.CeilDiv(columns, _sum.Lanes) * _sum.Lanes);
    }

    private void CopyColumns(KBuffer rhs, KBuffer scratch, KExpr position, int columns)
    {
        if (columns == 0)
        {
            return;
        }
        EmitDepth(0, 0, 0, 0, (_, offset, k) =>
        {
            KExpr from = _b.Let("row", KBuilder.Add(position, offset));
            KExpr to = _b.Let("to", KBuilder.Multiply(k, PanelWidth));
            for (int lane = 0; lane < columns; lane += _sum.Lanes)
            {
                _b.Store(scratch, KBuilder.Add(to, lane), new KLoad(rhs, KBuilder.Add(from, lane), _sum.Lanes));
            }
        });
    }

    // Columns that lie along k: squares of lanes, transposed in registers.
    private void TransposeColumns(KBuffer rhs, KBuffer scratch, KExpr position, KExpr lane)
    {
        int lanes = _sum.Lanes;
        KExpr stride = KBuilder.Value(_rhs.Index[_columns.Last]);
        long run = _depth[^1].Extent.Value;
        DepthRange range = RangeOf(_depth.Count - 1);
        KExpr end = range.End!;
        KExpr whole = _b.Let("whole", KBuilder.Add(range.Begin, KBuilder.Multiply(
            KBuilder.Divide(KBuilder.Subtract(end, range.Begin), lanes), lanes)));
        KExpr first = _b.Let("from", KBuilder.Add(position, KBuilder.Multiply(lane, stride)));
        EmitOuterDepth(0, 0, 0, (offset, number) =>
        {
            KExpr from = _b.Let("from", KBuilder.Add(first, offset));
            KExpr to = _b.Let("to", KBuilder.Add(
                KBuilder.Multiply(KBuilder.Subtract(KBuilder.Multiply(number, run), range.Begin), PanelWidth), lane));
            _b.For("k", range.Begin, whole, lanes, k =>
            {
                KExpr[] rows = [.. Enumerable.Range(0, lanes).Select(i => _b.Let("row", new KLoad(
                    rhs, KBuilder.Add(KBuilder.Add(from, KBuilder.Multiply(stride, i)), k), lanes)))];
                KExpr[] columns = VectorTranspose.Emit(_b, rows);
                for (int i = 0; i < lanes; i++)
                {
                    _b.Store(scratch, KBuilder.Add(to, KBuilder.Multiply(KBuilder.Add(k, i), PanelWidth)), columns[i]);
                }
            });
            _b.For("k", whole, end, 1, k => _b.Store(
                scratch, KBuilder.Add(to, KBuilder.Multiply(k, PanelWidth)),
                new KGather(rhs, new KRamp(KBuilder.Add(from, k), stride, lanes), null)));
        });
    }

    // Lanes from begin to end one by one, and zeros from there on.
    private void PackLanes(KBuffer rhs, KBuffer scratch, KExpr position, KExpr begin, KExpr end, int width)
    {
        KExpr stride = KBuilder.Value(_rhs.Index[_columns.Last]);
        _b.For("lane", begin, end, 1, lane =>
        {
            KExpr from = _b.Let("from", KBuilder.Add(position, KBuilder.Multiply(lane, stride)));
            EmitDepth(0, 0, 0, 0, (_, offset, k) => _b.Store(
                scratch, KBuilder.Add(KBuilder.Multiply(k, PanelWidth), lane), new KLoad(rhs, KBuilder.Add(from, offset))));
        });
        _b.For("lane", end, width, 1, lane => EmitDepth(0, 0, 0, 0, (_, _, k) => _b.Store(
            scratch, KBuilder.Add(KBuilder.Multiply(k, PanelWidth), lane), new KConstant(Scalar.Zero(rhs.Element), 1))));
    }

    // All counters of k but the fastest: the offset in B that they add, and the number of the run.
    private void EmitOuterDepth(int depth, KExpr offset, KExpr number, Action<KExpr, KExpr> body)
    {
        if (depth == _depth.Count - 1)
        {
            body(offset, number);
            return;
        }
        KExpr extent = KBuilder.Value(_depth[depth].Extent);
        KExpr stride = KBuilder.Value(_rhs.Index[_depth[depth].Last]);
        DepthRange range = RangeOf(depth);
        if (range.End is null)
        {
            EmitOuterDepth(depth + 1, KBuilder.Add(offset, KBuilder.Multiply(range.Begin, stride)), 0, body);
            return;
        }
        _b.For("k", range.Begin, range.End, 1, counter => EmitOuterDepth(
            depth + 1,
            KBuilder.Add(offset, KBuilder.Multiply(counter, stride)),
            KBuilder.Add(KBuilder.Multiply(number, extent), KBuilder.Subtract(counter, range.Begin)),
            body));
    }
}
