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
internal sealed partial class ChannelsFirstConvolutionLowering
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
            Dim planeElements = _geometry.Phases.Count * _geometry.Rows * _geometry.RowLength;
            Dim elements = (inputAt[0].Extent * inputAt[1].Extent * planeElements) + TileWidth;
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
}
