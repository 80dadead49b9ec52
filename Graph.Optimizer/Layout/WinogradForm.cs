namespace Graphene.Optimizer;

/// <summary>Says which convolutions Winograd's minimal filtering pays for, and with tiles of what size.</summary>
/// <remarks>
/// <para>
/// F(m x m, 3 x 3) computes a tile of m x m results from a patch of (m + 2) x (m + 2) elements with (m + 2)^2 products for each pair of
/// features where the definition takes 9 m^2: 16 rather than 36 for m = 2, 36 rather than 144 for m = 4. Its weights are (m + 2)^2 / 9
/// times as many. (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016.) Taps that lie apart make tiles whose
/// results lie apart (<see cref="WinogradSpan"/>).
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
        double taps = op.Window.Select((w, i) => (double)TapsOf(w, result[i])).Aggregate((a, b) => a * b);
        double direct = (2 * taps * inputs * outputs) + (FlopsPerByte * 36 * inputs * outputs);
        double two = CostOf(2);
        double four = largest == WinogradTiles.FourByFour ? CostOf(4) : double.PositiveInfinity;
        (int tile, double cost) = four <= two * LeastGainOfLarger ? (4, four) : (2, two);
        return cost <= direct * LeastGain ? tile : 0;

        double CostOf(int tile) => Cost(
            tile, op.Window.Select((w, i) => new WinogradSpan(result[i], tile, w.Dilation).Count).Aggregate((a, b) => a * b), inputs, outputs);
    }

    private static bool IsPlain(WindowDim w) =>
        w is { Stride: 1, BaseDilation: 1, Reversed: false } && w.Size == 3 && w.Low.IsStatic && w.High.IsStatic;

    // How often a tap of one dimension is multiplied. The definition leaves out taps that lie apart where they read the border, which
    // is as wide as they are far from the middle, whether it is still said by the window or has been written by a pad.
    private static long TapsOf(WindowDim w, long results) =>
        w.Dilation == 1 ? 3 * results : results + (2 * Math.Max(0, results - w.Dilation));

    // In flops. A vector of a patch takes about 100 cycles to read, transform and write with tiles of 4, and 30 with
    // tiles of 2; so does one of sums. A cycle of 16 lanes is 4 flops for each of them. Reading weights did not overlap
    // with products where it was measured; when they come again for another block of tiles, each is multiplied often enough to hide it.
    private static double Cost(int tile, long tiles, long inputs, long outputs)
    {
        double positions = (tile + 2) * (tile + 2);
        double left = DimMath.CeilDiv(inputs, FeaturesAtOnce) * FeaturesAtOnce;
        double right = DimMath.CeilDiv(outputs, FeaturesAtOnce) * FeaturesAtOnce;
        double transforms = tiles * (left + right) * (tile == 2 ? 120 : 400);
        double weights = 4 * positions * inputs * right;
        return (2 * positions * tiles * inputs * right) + transforms + (FlopsPerByte * weights);
    }
}
