namespace Graphene.Optimizer;

/// <summary>Says which convolutions Winograd's minimal filtering pays for, and with tiles of what size.</summary>
/// <remarks>
/// <para>
/// F(m x m, 3 x 3) computes a tile of m x m results from a patch of (m + 2) x (m + 2) elements with (m + 2)^2 products for each pair of
/// features where the definition takes 9 m^2: 16 rather than 36 for m = 2, 36 rather than 144 for m = 4. Its weights are (m + 2)^2 / 9
/// times as many. (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016.)
/// </para>
/// <para>
/// The sizes of one image decide, neither the batch nor the machine: another size of tiles would be other bits
/// (<see cref="OptimizerOptions.Winograd"/>).
/// </para>
/// </remarks>
public static class WinogradForm
{
    // What a core multiplies and adds in the time in which one byte of weights comes from memory: 5 to 20 on the machines known.
    private const double FlopsPerByte = 15;

    // Weights up to so many bytes stay near; others come again for each so many bytes of patches.
    private const double BytesOfWeightsKept = 1 << 20;
    private const double BytesOfPatchesAtOnce = 2 << 20;

    // Features come in vectors; more than there are cost as much as whole ones.
    private const long FeaturesAtOnce = 16;

    // What is gained must be worth the error and the larger weights, and larger tiles what they add to both.
    private const double LeastGain = 0.8;
    private const double LeastGainOfLarger = 0.9;

    /// <summary>Whether a convolution is computed in tiles: it pays, and its kernel is a constant without infinities.</summary>
    /// <param name="convolution">The node.</param>
    /// <param name="largest">The largest tiles that the caller allows.</param>
    public static bool IsChosen(Node convolution, WinogradTiles largest) =>
        convolution is { Op: ConvolutionOp op, Operands: [{ Type: var input }, { Op: ConstantOp { Value: var weights } }] } &&
        TileOf(op, input, weights.Type, largest) > 0 && weights.IsFinite();

    /// <summary>The side of the tiles of results, 2 or 4; 0 for a convolution that is better computed by its definition.</summary>
    /// <param name="op">The convolution.</param>
    /// <param name="input">The type of its input.</param>
    /// <param name="kernel">The type of its kernel, which is a constant: weights are transformed while compiling.</param>
    /// <param name="largest">The largest tiles that the caller allows.</param>
    public static int TileOf(ConvolutionOp op, TensorType input, TensorType kernel, WinogradTiles largest)
    {
        ConvolutionDimensions d = op.Dimensions;
        bool fits = largest != WinogradTiles.None && d.SpatialRank == 2 && op.FeatureGroups == 1 && op.BatchGroups == 1 &&
            input.DType == DType.F32 && op.ResultType == DType.F32 &&
            d.ResultFeature == d.SpatialRank + 1 && d.LhsFeature == d.SpatialRank + 1 && op.Window.All(IsPlain) &&
            kernel.Shape.IsStatic && d.LhsSpatial.All(axis => input.Shape[axis].IsStatic);
        if (!fits)
        {
            return 0;
        }
        long[] result = [.. op.Window.Select((w, i) => w.OutputSize(input.Shape[d.LhsSpatial[i]]).Value)];
        long inputs = kernel.Shape[d.RhsInputFeature].Value;
        long outputs = kernel.Shape[d.RhsOutputFeature].Value;
        if (result.Min() == 0 || inputs == 0 || outputs == 0)
        {
            return 0;
        }
        double direct = (18.0 * result[0] * result[1] * inputs * outputs) + (FlopsPerByte * 36 * inputs * outputs);
        double two = Cost(2, result, inputs, outputs);
        double four = largest == WinogradTiles.FourByFour ? Cost(4, result, inputs, outputs) : double.PositiveInfinity;
        (int tile, double cost) = four <= two * LeastGainOfLarger ? (4, four) : (2, two);
        return cost <= direct * LeastGain ? tile : 0;
    }

    private static bool IsPlain(WindowDim w) =>
        w is { Stride: 1, Dilation: 1, BaseDilation: 1, Reversed: false } && w.Size == 3 && w.Low.IsStatic && w.High.IsStatic;

    // In flops. A vector of a patch takes about 100 cycles to read, transform and write with tiles of 4, and 30 with
    // tiles of 2; so does one of sums. A cycle of 16 lanes is 4 flops for each of them. Reading weights did not overlap
    // with products where it was measured.
    private static double Cost(long tile, long[] result, long inputs, long outputs)
    {
        long positions = (tile + 2) * (tile + 2);
        double tiles = DimMath.CeilDiv(result[0], tile) * DimMath.CeilDiv(result[1], tile);
        double left = DimMath.CeilDiv(inputs, FeaturesAtOnce) * FeaturesAtOnce;
        double right = DimMath.CeilDiv(outputs, FeaturesAtOnce) * FeaturesAtOnce;
        double transforms = tiles * (left + right) * (tile == 2 ? 120 : 400);
        double weights = 4 * positions * inputs * right;
        double reads = weights <= BytesOfWeightsKept ? 1 : Math.Ceiling(4 * positions * tiles * left / BytesOfPatchesAtOnce);
        return (2 * positions * tiles * inputs * right) + transforms + (FlopsPerByte * weights * reads);
    }
}
