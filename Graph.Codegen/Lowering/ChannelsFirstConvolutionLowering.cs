namespace Graphene.Codegen;

/// <summary>
/// Lowers a convolution over [batch, features, y, x] with constant weights as an implicit matrix product: rows are output features,
/// columns are output positions, k runs over kernel positions and then input features.
/// </summary>
/// <remarks>
/// <code>
/// task = (batch, group, block of features, block of positions)
///   for tile of features                                weights packed tile by tile, a tile stays in the cache
///     for tile of positions
///       sums = 0; for kernel position, for input feature: sums += weight[feature] * input[offset + q] in registers
///     epilogue: row by row of the output
/// </code>
/// No im2col: consecutive positions are consecutive in the planes of <see cref="ChannelsFirstGeometry"/>, which a first kernel
/// prepares when there is padding or a stride; a plain 1x1 convolution reads its input where it lies. A depthwise convolution is
/// the case of one output feature per group. The order of k is that of the op's definition.
/// </remarks>
internal sealed class ChannelsFirstConvolutionLowering
{
    private const int PositionTilesPerTask = 8;
    private const long TasksWanted = 16;
    private const int MostUnrolledPositions = 25;

    private readonly HeroFusion _fusion;
    private readonly ConvolutionOp _op;
    private readonly KernelTarget _target;
    private readonly KBuilder _b = new();
    private readonly ExprEmitter _emitter;
    private readonly ChannelsFirstGeometry _geometry;
    private readonly KType _sum;
    private readonly int _tileRows;
    private readonly int _tileVectors;
    private readonly int _packedRows; // features of a panel of weights
    private readonly int _outputs; // output features of a group
    private readonly int _inputs; // input features of a group
    private readonly bool _contiguous;

    private ChannelsFirstConvolutionLowering(HeroFusion fusion, KernelTarget target, ChannelsFirstGeometry geometry)
    {
        _fusion = fusion;
        _op = (ConvolutionOp)fusion.Hero.Op;
        _target = target;
        _geometry = geometry;
        var analysis = new ExprAnalysis();
        _emitter = new ExprEmitter(_b, analysis, fusion.Source.Source);
        _sum = new KType(_op.AccumulationType, target.Lanes(_op.AccumulationType));
        TensorType kernel = fusion.Hero.Operands[1].Type;
        _inputs = (int)kernel.Shape[_op.Dimensions.RhsInputFeature].Value;
        _outputs = (int)(kernel.Shape[_op.Dimensions.RhsOutputFeature].Value / _op.FeatureGroups);
        int shared = target.Panels is { Features: var narrowest }
            ? RegisterTiles.Choose(_outputs, geometry.Count, narrowest.Lanes(_op.AccumulationType), narrowest).Rows
            : 0;
        (_tileRows, _tileVectors) = RegisterTiles.Choose(
            _outputs, geometry.Count, _sum.Lanes, target, fits: (rows, _) => shared == 0 || shared % rows == 0);
        _packedRows = shared == 0 ? _tileRows : shared;
        var merging = new LoopMerging(analysis, fusion.Roots.Select(r => r.Element), fusion.Roots.Select(r => r.Store));
        _contiguous = geometry.RowLength == geometry.Width && merging.Merge(fusion.At[2..]).Count == 1;
    }

    private int TileWidth => _tileVectors * _sum.Lanes;

    private int FeatureTiles => (_outputs + _tileRows - 1) / _tileRows;

    /// <summary>Lowers a convolution fusion, or returns null when it needs another schedule.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node fusion, HeroFusion hero, KernelTarget target)
    {
        if (!IsSupported(hero))
        {
            return null;
        }
        var op = (ConvolutionOp)hero.Hero.Op;
        ExprFactory factory = hero.Source.Factory;
        TensorType input = hero.Hero.Operands[0].Type;
        TensorType kernel = hero.Hero.Operands[1].Type;
        IndexVariable[] inputAt = [.. input.Shape.Select((d, i) => factory.Variable($"x{i}", d))];
        IndexVariable[] kernelAt = [.. kernel.Shape.Select((d, i) => factory.Variable($"w{i}", d))];
        if (hero.OperandAccess(0, IndexVector.From(inputAt)) is not { } x ||
            hero.OperandAccess(1, IndexVector.From(kernelAt)) is not { } w ||
            w.Load.Source >= hero.Source.Body.Parameters.Length ||
            fusion.Operands[w.Load.Source].Op is not ConstantOp weights)
        {
            return null;
        }
        var geometry = new ChannelsFirstGeometry(op, input, hero.Hero.Type);
        if (!geometry.NeedsCopy && (x.Index[inputAt[^1]] != 1 || (inputAt.Length == 4 && x.Index[inputAt[2]] != geometry.RowLength)))
        {
            return null;
        }
        return new ChannelsFirstConvolutionLowering(hero, target, geometry).Run(name, fusion, x, inputAt, weights.Value, w.Index, kernelAt);
    }

    private static bool IsSupported(HeroFusion hero)
    {
        var op = (ConvolutionOp)hero.Hero.Op;
        ConvolutionDimensions d = op.Dimensions;
        ConvolutionDimensions wanted = ConvolutionDimensions.ChannelsFirst(d.SpatialRank);
        return d.SpatialRank is 1 or 2 && op.BatchGroups == 1 &&
            (d.LhsBatch, d.LhsFeature, d.ResultBatch, d.ResultFeature) == (0, 1, 0, 1) &&
            d.LhsSpatial.Equals(wanted.LhsSpatial) && d.ResultSpatial.Equals(wanted.ResultSpatial) &&
            op.Window.All(w => w.BaseDilation == 1 && !w.Reversed && w.Size.IsStatic) &&
            hero.Hero.Operands[1].Shape.IsStatic;
    }

    private IReadOnlyList<LoweredKernel> Run(
        string name, Node fusion, (LoadExpr Load, AffineIndex Index) x, IndexVariable[] inputAt,
        Literal weights, AffineIndex weightIndex, IndexVariable[] kernelAt)
    {
        var kernels = new List<LoweredKernel>();
        KernelArguments arguments = _fusion.Source.Arguments;
        TensorType input = _fusion.Hero.Operands[0].Type;
        KBuffer planes = _fusion.Source.Source(x.Load.Source);
        if (_geometry.NeedsCopy)
        {
            Dim elements = (inputAt[0].Extent * inputAt[1].Extent * _geometry.Phases.Count * _geometry.Rows * _geometry.RowLength) + TileWidth;
            var workspace = new KernelOperand.Workspace(elements * input.DType.SizeInBytes());
            kernels.Add(ChannelsFirstInputLowering.Lower(
                name + "_planes", arguments.Operands[x.Load.Source], input, x.Index, inputAt, _geometry, workspace, _target));
            planes = arguments.Input("planes", input.DType, workspace);
        }
        PackedPanels packed = PackWeights(weights, weightIndex, kernelAt);
        KBuffer packedBuffer = arguments.Input("weights", packed.DType, new KernelOperand.Constant(packed));
        var body = new Body(planes, packedBuffer, Strides(x.Index, inputAt), PositionTable(arguments));
        var task = new KVariable("task", KType.Index);
        KExpr taskCount = EmitTask(body, task);
        long depth = (long)_inputs * _geometry.Positions.Count;
        var cost = new KernelCost(
            _fusion.Hero.Shape.ElementCount * depth * 2,
            fusion.Operands.Select(o => o.Type).Concat(fusion.Types).Aggregate((Dim)0, (sum, t) => sum + t.SizeInBytes));
        kernels.Add(new LoweredKernel(
            new Kernel(name, arguments.Buffers, task, taskCount, _b.ToBlock(), cost), arguments.Operands));
        return kernels;
    }

    // Start of the planes, stride of the batch and of a feature.
    private (KExpr Start, KExpr Batch, KExpr Feature) Strides(AffineIndex index, IndexVariable[] at)
    {
        if (!_geometry.NeedsCopy)
        {
            return (KBuilder.Value(index.Constant), KBuilder.Value(index[at[0]]), KBuilder.Value(index[at[1]]));
        }
        Dim feature = _geometry.Phases.Count * _geometry.Rows * _geometry.RowLength;
        return (0, KBuilder.Value(feature * at[1].Extent), KBuilder.Value(feature));
    }

    private PackedPanels PackWeights(Literal weights, AffineIndex index, IndexVariable[] at)
    {
        ConvolutionDimensions d = _op.Dimensions;
        long output = index[at[d.RhsOutputFeature]].Value;
        long input = index[at[d.RhsInputFeature]].Value;
        long y = d.SpatialRank == 1 ? 0 : index[at[d.RhsSpatial[0]]].Value;
        long x = index[at[d.RhsSpatial[^1]]].Value;
        long[] groups = [.. Enumerable.Range(0, (int)_op.FeatureGroups).Select(g => index.Constant.Value + (g * _outputs * output))];
        long[] depth = [.. from ky in Enumerable.Range(0, (int)_geometry.Y.Size.Value)
                           from kx in Enumerable.Range(0, (int)_geometry.X.Size.Value)
                           from c in Enumerable.Range(0, _inputs)
                           select (ky * y) + (kx * x) + (c * input)];
        long[] columns = [.. Enumerable.Range(0, _outputs).Select(o => o * output)];
        return new PackedPanels(weights, [.. groups], [.. depth], [.. columns], _packedRows);
    }

    // With many kernel positions their offsets are read from a table; null when the positions are unrolled.
    private KBuffer? PositionTable(KernelArguments arguments)
    {
        bool unroll = _geometry.Positions.Count == 1 || (_inputs == 1 && _geometry.Positions.Count <= MostUnrolledPositions);
        if (unroll || !_geometry.RowLength.IsStatic || !_geometry.Rows.IsStatic)
        {
            return null;
        }
        long[] offsets = [.. _geometry.Positions.Select(p => _geometry.Offset(p).Value)];
        return arguments.Input("offsets", DType.I64, new KernelOperand.Constant(Literal.From<long>(offsets, offsets.Length)));
    }

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
        _b.If(KBuilder.Call(ScalarOp.LessOrEqual, TileWidth, left), () => _emitter.InScope(() => Tile(none)), () => _emitter.InScope(() => Tile(
            [.. Enumerable.Range(0, _tileVectors).Select(j => _b.Let("mask", KBuilder.Less(
                new KRamp(j * _sum.Lanes, 1, _sum.Lanes), left)))])));
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
