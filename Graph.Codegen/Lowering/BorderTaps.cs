namespace Graphene.Codegen;

/// <summary>One dimension of a convolution's window over an input that has zeros around it.</summary>
/// <remarks>
/// Tap k of output position r reads input position r * stride + k * dilation, which is border outside of [first, end). A product with a
/// zero adds nothing to a sum that began with zero, if the weight is finite: leaving it out changes no bit.
/// </remarks>
/// <param name="Row">The counter of output positions.</param>
/// <param name="Tap">The counter of taps.</param>
/// <param name="Stride">Input positions from one output position to the next.</param>
/// <param name="Dilation">Input positions from one tap to the next.</param>
/// <param name="First">The first input position behind the border.</param>
/// <param name="End">The first input position of the border's other end.</param>
internal sealed record BorderTaps(IndexVariable Row, IndexVariable Tap, long Stride, long Dilation, long First, long End)
{
    /// <summary>
    /// The dimensions of a convolution whose input is known to have a border, if its weights are constant and finite; none of one that is
    /// pooled, whose rows are not positions in order.
    /// </summary>
    /// <param name="fusion">The fusion around the convolution.</param>
    /// <param name="hero">The convolution.</param>
    /// <param name="product">The convolution as a product.</param>
    public static IReadOnlyList<BorderTaps> Of(Node fusion, HeroFusion hero, MatrixProduct product)
    {
        Node input = hero.Hero.Operands[0];
        if (hero.Pooling is not null || input.Op is not ParameterOp { Number: var number } || ZeroBorder.Of(fusion.Operands[number]) is not { } border
            || !HasFiniteWeights(fusion, hero))
        {
            return [];
        }
        var op = (ConvolutionOp)hero.Hero.Op;
        var taps = new List<BorderTaps>();
        for (int i = 0; i < op.Window.Count; i++)
        {
            int axis = op.Dimensions.LhsSpatial[i];
            (long low, long high) = border[axis];
            if (low + high > 0 && input.Shape[axis].IsStatic && op.Window[i] is { Size.IsStatic: true, Low.IsStatic: true } w)
            {
                taps.Add(new BorderTaps(
                    hero.At[op.Dimensions.ResultSpatial[i]], product.Depth[i], w.Stride, w.Dilation,
                    low + w.Low.Value, input.Shape[axis].Value - high + w.Low.Value));
            }
        }
        return taps;
    }

    /// <summary>The taps that read more than the border for some of consecutive output positions.</summary>
    /// <param name="first">The first position.</param>
    /// <param name="last">The last one.</param>
    public (long Begin, long End) Inside(long first, long last) => (
        Math.Min(Tap.Extent.Value, DimMath.CeilDiv(Math.Max(0, First - (last * Stride)), Dilation)),
        Math.Min(Tap.Extent.Value, DimMath.CeilDiv(Math.Max(0, End - (first * Stride)), Dilation)));

    /// <summary>The taps that read more than the border for some of consecutive output positions.</summary>
    /// <param name="first">The first position.</param>
    /// <param name="last">The last one.</param>
    public (KExpr Begin, KExpr End) Inside(KExpr first, KExpr last)
    {
        KExpr Taps(long bound, KExpr row) => KBuilder.Minimum(Tap.Extent.Value, KBuilder.CeilDiv(
            KBuilder.Maximum(0, KBuilder.Subtract(bound, KBuilder.Multiply(row, Stride))), Dilation));

        return (Taps(First, last), Taps(End, first));
    }

    private static bool HasFiniteWeights(Node fusion, HeroFusion hero) =>
        hero.Hero.Operands[1].Op is ParameterOp { Number: var number }
        && fusion.Operands[number].Op is ConstantOp constant && constant.Value.IsFinite();
}
