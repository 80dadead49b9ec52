using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Lowers a 3x3 convolution with features last by Winograd's minimal filtering (<see cref="WinogradTransform"/>), where
/// <see cref="WinogradForm"/> says that it pays.
/// </summary>
/// <remarks>
/// <code>
/// for block of tiles
///
/// kernel 1, a task for each tile        patches[group of tiles][position][vector of inputs][tile][lane] = B^T d B
///   for vector of inputs
///     read the patch (zeros outside of the image), transform it, write its positions
///
/// kernel 2, task = (panel of outputs, part of the block), or the other way round
///   for groups at once                  a group is as many tiles as a register tile has rows
///     for position, group               sums = 0; for input: sums += patches * weights in registers; sums to scratch
///     for group, tile, vector           A^T sums A, epilogue -> m * m results
/// </code>
/// <para>
/// The bound is that of the products: 2 (m + 2)^2 / m^2 flops for each pair of features and result, a quarter of the
/// definition's 18 for m = 4 and four ninths for m = 2, or that of reading (m + 2)^2 weights for each pair. The patches
/// of a block stay in the second cache with the panel at work or, if there is room, with all weights
/// (<see cref="TileBlocks"/>); while one panel is multiplied by, the next is asked for. Where not even a panel has room, several groups
/// at once are multiplied by what a position has of it, and patches come from the third cache. The scratch of a group is
/// (m + 2)^2 register tiles, 64 KiB for 14 x 32 sums and m = 4.
/// </para>
/// <para>
/// Tiles begin at the first result of each image and a sum runs over ascending inputs, so the bits depend neither on the batch nor on
/// blocks or threads. Weights are transformed while compiling.
/// </para>
/// </remarks>
internal sealed partial class WinogradConvolutionLowering
{
    private const long MostSumsInBytes = 128 * 1024;

    private static readonly DimSymbol Block = new("block", 0, DimSymbol.Unbounded);

    private readonly HeroFusion _fusion;
    private readonly ConvolutionDimensions _dimensions;
    private readonly WinogradTransform _transform;
    private readonly KernelTarget _target;
    private readonly (LoadExpr Load, AffineIndex Index) _input;
    private readonly IndexVariable[] _place; // a row, a column and a feature of the input
    private readonly KType _sum;
    private readonly long[] _size;   // of an image of the input
    private readonly long[] _first;  // where the first patch begins in it
    private readonly WinogradSpan[] _spans; // tiles of an image of results
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly Dim _tiles; // of all images
    private readonly int _rows;
    private readonly int _width;

    private WinogradConvolutionLowering(
        HeroFusion fusion, int tile, (LoadExpr Load, AffineIndex Index) input, IndexVariable[] place, KernelTarget target)
    {
        var op = (ConvolutionOp)fusion.Hero.Op;
        ConvolutionDimensions d = op.Dimensions;
        TensorType image = fusion.Hero.Operands[0].Type;
        _fusion = fusion;
        _dimensions = d;
        _transform = WinogradTransform.Of(tile);
        _target = target;
        _input = input;
        _place = place;
        _sum = new KType(DType.F32, target.Lanes(DType.F32));
        _size = [.. d.LhsSpatial.Select(axis => image.Shape[axis].Value)];
        _first = [.. op.Window.Select(w => -w.Low.Value)];
        _spans = [.. op.Window.Select((w, i) => new WinogradSpan(fusion.Hero.Shape[d.ResultSpatial[i]].Value, tile, w.Dilation))];
        _inputs = checked((int)image.Shape[d.LhsFeature].Value);
        _outputs = checked((int)fusion.Hero.Shape[d.ResultFeature].Value);
        _tiles = fusion.Hero.Shape[d.ResultBatch] * (_spans[0].Count * _spans[1].Count);
        (_rows, int vectors) = RegisterTiles.Choose(_tiles, _outputs, _sum.Lanes, target, mostVectors: MostVectors());
        _width = vectors * _sum.Lanes;
    }

    // Vectors of input features; what the last one has too many is never read.
    private int InputVectors => (_inputs + _sum.Lanes - 1) / _sum.Lanes;

    private int Panels => (_outputs + _width - 1) / _width;

    // The patches of a group at one position, and at all.
    private long GroupElements => (long)InputVectors * _rows * _sum.Lanes;

    private long GroupSize => _transform.Positions * GroupElements;

    private long WeightsInBytes => (long)Panels * _transform.Positions * _inputs * _width * sizeof(float);

    // The sums of a group for one panel.
    private long SumsOfGroup => (long)_transform.Positions * _rows * _width;

    // How many groups are multiplied by the weights of a position before those of the next one: as few as sums stay near for, unless weights
    // come from beyond the second cache for each of them.
    private long GroupsAtOnce => WeightsStayNear || PanelsStayNear ? 1 : Math.Max(1, MostSumsInBytes / (SumsOfGroup * sizeof(float)));

    private long BytesOfNearWeights => _target.Caches.SecondLevelInBytes / 2;

    // Whether the second cache keeps all weights while block after block is multiplied by them.
    private bool WeightsStayNear => WeightsInBytes <= BytesOfNearWeights;

    // A vector of outputs at all positions.
    private long WeightsOfVectorInBytes => (long)_transform.Positions * _inputs * _sum.Lanes * sizeof(float);

    // Whether the second cache keeps two panels, the one at work and the next one, beside the patches of a block.
    private bool PanelsStayNear => WeightsOfVectorInBytes <= _target.Caches.SecondLevelInBytes * 3 / 16;

    private Dim Groups => Dim.CeilDiv(_tiles, _rows);

    private IndexVariable Batch => _fusion.At[_dimensions.ResultBatch];

    /// <summary>The two kernels of a convolution; null where it is computed by its definition.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node fusion, HeroFusion hero, KernelTarget target)
    {
        var op = (ConvolutionOp)hero.Hero.Op;
        ConvolutionDimensions d = op.Dimensions;
        TensorType input = hero.Hero.Operands[0].Type;
        TensorType kernel = hero.Hero.Operands[1].Type;
        if (WinogradForm.TileOf(op, input, kernel, target.Winograd) is not (> 0 and var tile) ||
            (hero.Pooling is { } pooling && !(pooling.Window.All(w => tile % w.Size.Value == 0) && op.Window.All(w => w.Dilation == 1))))
        {
            return null;
        }
        ExprFactory f = hero.Source.Factory;
        IndexVariable row = f.Variable("row", input.Shape[d.LhsSpatial[0]]);
        IndexVariable column = f.Variable("column", input.Shape[d.LhsSpatial[1]]);
        IndexVariable channel = f.Variable("c", input.Shape[d.LhsFeature]);
        IndexVariable ky = f.Variable("ky", 3);
        IndexVariable kx = f.Variable("kx", 3);
        IndexVariable output = hero.At[d.ResultFeature];
        IndexVector lhsAt = IndexVector.From(Enumerable.Range(0, input.Rank).Select(axis =>
            axis == d.LhsBatch ? hero.At[d.ResultBatch] : axis == d.LhsFeature ? channel : axis == d.LhsSpatial[0] ? row : column));
        IndexVector rhsAt = IndexVector.From(Enumerable.Range(0, kernel.Rank).Select(axis =>
            axis == d.RhsInputFeature ? channel : axis == d.RhsOutputFeature ? output : axis == d.RhsSpatial[0] ? ky : kx));
        if (hero.OperandAccess(0, lhsAt) is not { } lhs || hero.OperandAccess(1, rhsAt) is not { } rhs || lhs.Index[channel] != 1 ||
            lhs.Load.Source >= hero.Source.Body.Parameters.Length || rhs.Load.Source >= hero.Source.Body.Parameters.Length ||
            fusion.Operands[rhs.Load.Source].Op is not ConstantOp constant || !constant.Value.IsFinite())
        {
            return null;
        }
        var strides = new KernelStrides(
            rhs.Index.Constant.Value, rhs.Index[ky].Value, rhs.Index[kx].Value, rhs.Index[channel].Value, rhs.Index[output].Value);
        var lowering = new WinogradConvolutionLowering(hero, tile, lhs, [row, column, channel], target);
        return lowering.Lower(name, new WinogradWeights(
            constant.Value, strides, lowering._inputs, lowering._outputs, tile, lowering._width));
    }

    // One pair of kernels for all blocks, whose workspace is small enough to stay in the cache; or, when their number
    // is fed, for all at once.
    private LoweredKernel[] Lower(string name, WinogradWeights weights)
    {
        TileBlocks blocks = TileBlocks.Choose(this);
        Dim groups = blocks.AreCalledApart ? blocks.GroupsPerBlock : Groups;
        var patches = new KernelOperand.Workspace(groups * (GroupSize * sizeof(float)));
        LoweredKernel[] pair = [EmitPatches(name + "_patches", patches, blocks), EmitProducts(name + "_tiles", patches, weights, blocks)];
        return !blocks.AreCalledApart
            ? pair
            : [.. Enumerable.Range(0, checked((int)blocks.Calls)).SelectMany(i => pair.Select(k => k with { Sizes = [i] }))];
    }

    // Where the second cache does not hold all weights, two panels take no more than three eighths of it, or else what a position has of one
    // no more than a quarter.
    private long MostVectors()
    {
        long cache = _target.Caches.SecondLevelInBytes;
        return DimMath.CeilDiv(_outputs, _sum.Lanes) * WeightsOfVectorInBytes <= BytesOfNearWeights ? long.MaxValue
            : PanelsStayNear ? cache * 3 / 16 / WeightsOfVectorInBytes
            : Math.Max(1, cache / 4 * _transform.Positions / WeightsOfVectorInBytes);
    }

    // The image, and the first row and column of results, of a tile.
    private (KExpr Image, KExpr Row, KExpr Column) PlaceOf(KBuilder b, KExpr tile)
    {
        KExpr column = b.Let("column", FirstOf(_spans[1], KBuilder.Remainder(tile, _spans[1].Count)));
        KExpr rest = b.Let("rest", KBuilder.Divide(tile, _spans[1].Count));
        KExpr row = b.Let("row", FirstOf(_spans[0], KBuilder.Remainder(rest, _spans[0].Count)));
        return (b.Let("image", KBuilder.Divide(rest, _spans[0].Count)), row, column);
    }

    // The first result of a tile along one dimension.
    private static KExpr FirstOf(WinogradSpan span, KExpr tile) => KBuilder.Add(
        KBuilder.Multiply(KBuilder.Divide(tile, span.Dilation), span.Period), KBuilder.Remainder(tile, span.Dilation));
}
