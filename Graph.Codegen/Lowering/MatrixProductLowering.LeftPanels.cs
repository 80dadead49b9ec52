using System.Numerics;

namespace Graphene.Codegen;

// A left operand whose rows are consecutive and whose k are far apart, packed by a kernel of its own into the order in which the
// register tiles walk it:
//
//   panels[batch][tile][k][row] = A[tile * rows of a tile + row, k]
//
// Gradients of weights are such products: x transposed, times dy. Where it lies, a tile's k are a line each in as many pages, again for
// every panel of columns; most of them fall on the same few sets of the caches. Only the place changes, so bits do not.
internal sealed partial class MatrixProductLowering
{
    // So many panels of columns must read it, or to copy it costs more than a tenth of their time.
    private const int FewestPanelsOfPackedLeft = 2;
    private const int FewestRowsOfPackedLeft = 8;
    private const int TilesPackedTogether = 8;

    private KernelOperand.Workspace? _leftWorkspace;
    private KBuffer? _leftPanels;

    private bool PacksLeft => _narrow is null && _lhs.Load.DType == _sum.Element && _rows.Count == 1 && _depth.Count > 0
        && _depthCount.IsStatic && _rowCount.IsStatic && _rowCount.Value >= FewestRowsOfPackedLeft && Count(_batch).IsStatic
        && _columns.Extent.IsStatic && _columns.Extent.Value >= FewestPanelsOfPackedLeft * 2 * _sum.Lanes
        && _lhs.Index[_rows[0].Last] == 1 && _lhs.Index[_depth[^1].Last] != 1
        && _lhs.Load.Source < _fusion.Source.Body.Parameters.Length;

    private IEnumerable<LoopGroup> BatchesOfLeft => _batch.Where(g => g.Members.Any(member => _lhs.Index[member] != 0));

    private long TilesOfLeft => DimMath.CeilDiv(_rowCount.Value, _tileRows);

    // The kernel that packs; null when the left operand is read where it lies.
    private LoweredKernel? PackLeftPanels(string name)
    {
        if (!PacksLeft)
        {
            return null;
        }
        Dim batches = Count(BatchesOfLeft);
        long perBatch = TilesOfLeft * _tileRows * _depthCount.Value;
        _leftWorkspace = new KernelOperand.Workspace(batches * perBatch * ElementSize);
        var packing = new LeftPanelPacking(_lhs.Index, _tileRows, _rowCount.Value, [.. BatchesOfLeft], _depth);
        KernelOperand from = _fusion.Source.Arguments.Operands[_lhs.Load.Source];
        LoweredKernel kernel = packing.Lower(name, from, _lhs.Load.SourceType, _leftWorkspace);
        _leftPanels = _fusion.Source.Arguments.Input("panels", _lhs.Load.DType, _leftWorkspace);
        return kernel;
    }

    // Where the packed tile begins whose first row is given: rows of whole tiles follow each other.
    private KExpr PackedTile(KExpr firstRow)
    {
        KExpr batch = 0;
        foreach (LoopGroup group in BatchesOfLeft)
        {
            batch = KBuilder.Add(KBuilder.Multiply(batch, KBuilder.Value(group.Extent)), _emitter.Emit(group.Last));
        }
        return _b.Let("tile", KBuilder.Add(
            KBuilder.Multiply(batch, TilesOfLeft * _tileRows * _depthCount.Value), KBuilder.Multiply(firstRow, _depthCount.Value)));
    }

    // Writes the kernel that packs.
    private sealed record LeftPanelPacking(
        AffineIndex Index, int TileRows, long Rows, IReadOnlyList<LoopGroup> Batches, IReadOnlyList<LoopGroup> Depth)
    {
        private readonly KBuilder _b = new();

        private long Tiles => DimMath.CeilDiv(Rows, TileRows);

        private long DepthCount => Count(Depth).Value;

        public LoweredKernel Lower(string name, KernelOperand operand, TensorType type, KernelOperand workspace)
        {
            var arguments = new KernelArguments();
            KBuffer from = arguments.Input("left", type.DType, operand);
            KBuffer to = arguments.Output("panels", type.DType, workspace);
            var task = new KVariable("task", KType.Index);
            long groups = DimMath.CeilDiv(Tiles, TilesPackedTogether);
            KExpr firstTile = _b.Let("tile0", KBuilder.Multiply(KBuilder.Remainder(task, groups), TilesPackedTogether));
            KExpr whole = _b.Let("tile1", KBuilder.Minimum(KBuilder.Add(firstTile, TilesPackedTogether), Rows / TileRows));
            KExpr batch = _b.Let("batch", KBuilder.Divide(task, groups));
            KExpr source = _b.Let("from", Start(batch));
            KExpr target = _b.Let("to", KBuilder.Multiply(batch, Tiles * TileRows * DepthCount));
            int rest = (int)(Rows % TileRows);
            EmitDepth(0, source, 0, (at, k) =>
            {
                void Tile(KExpr tile, int rows) => Copy(
                    from, to, _b.Let("row", KBuilder.Add(at, KBuilder.Multiply(tile, TileRows))),
                    _b.Let("panel", KBuilder.Add(target, KBuilder.Add(
                        KBuilder.Multiply(tile, TileRows * DepthCount), KBuilder.Multiply(k, TileRows)))), rows);

                _b.For("tile", firstTile, whole, 1, tile => Tile(tile, TileRows));
                if (rest > 0)
                {
                    _b.If(KBuilder.Less(whole, KBuilder.Add(firstTile, TilesPackedTogether)), () => Tile(Rows / TileRows, rest));
                }
            });
            Dim tasks = Count(Batches) * groups;
            var kernel = new Kernel(
                name, arguments.Buffers, task, KBuilder.Value(tasks), _b.ToBlock(), new KernelCost(0, type.SizeInBytes * 2));
            return new LoweredKernel(kernel, arguments.Operands);
        }

        private KExpr Start(KExpr batch)
        {
            KExpr at = KBuilder.Value(Index.Constant);
            for (int i = Batches.Count - 1; i >= 0; i--)
            {
                KExpr extent = KBuilder.Value(Batches[i].Extent);
                KExpr counter = i == 0 ? batch : _b.Let("i", KBuilder.Remainder(batch, extent));
                batch = i == 0 ? batch : _b.Let("batch", KBuilder.Divide(batch, extent));
                at = KBuilder.Add(at, KBuilder.Multiply(counter, KBuilder.Value(Index[Batches[i].Last])));
            }
            return at;
        }

        private void EmitDepth(int depth, KExpr at, KExpr k, Action<KExpr, KExpr> body)
        {
            if (depth == Depth.Count)
            {
                body(_b.Let("from", at), k);
                return;
            }
            KExpr extent = KBuilder.Value(Depth[depth].Extent);
            _b.For("k", 0, extent, 1, counter => EmitDepth(
                depth + 1, KBuilder.Add(at, KBuilder.Multiply(counter, KBuilder.Value(Index[Depth[depth].Last]))),
                KBuilder.Add(KBuilder.Multiply(k, extent), counter), body));
        }

        // Pieces that are powers of two: a masked store may cost as much as a dozen plain ones.
        private void Copy(KBuffer from, KBuffer to, KExpr source, KExpr target, int count)
        {
            for (int at = 0; at < count;)
            {
                int lanes = (int)BitOperations.RoundUpToPowerOf2((uint)(count - at) + 1) / 2;
                _b.Store(to, KBuilder.Add(target, at), new KLoad(from, KBuilder.Add(source, at), lanes));
                at += lanes;
            }
        }
    }
}
