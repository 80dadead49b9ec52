namespace Graphene.Codegen;

/// <summary>The cube root.</summary>
/// <remarks>
/// |x| = m 8^q with m between 1 and 8. A cubic gives m^(-1/3) to 12 bits; with e = 1 - m g^3, the root is m g^2 (1 - e)^(-2/3), of which
/// a few terms suffice; a Newton step with an exact residual takes the rounding errors out.
/// </remarks>
internal static class CubeRootMath
{
    // m^(-1/3) between 1 and 2
    private static readonly double[] Guess = [1.54188645f, -0.809959054f, 0.317756236f, -0.0499367043f];

    /// <summary>The cube root of x.</summary>
    public static KNum CubeRoot(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum magnitude = x.Abs();
        int lift = f.IsSingle ? 24 : 54;
        KNum isDenormal = magnitude < f.SmallestNormal;
        KNum normal = KNum.Select(isDenormal, magnitude * Math.ScaleB(1, lift), magnitude);
        KNum bits = normal.As(f.Integer);

        // The exponent field in thirds, counted so that 1.0 has no remainder. 43691 / 2^17 is 1/3 for numbers this small.
        long middle = f.Bias % 3 == 0 ? f.Bias : f.Bias + 3 - (f.Bias % 3);
        KNum field = (bits >>> f.FractionBits) + bits.Constant(middle - f.Bias);
        KNum third = (field * field.Constant(43691L)) >>> 17;
        KNum remainder = field - (third * third.Constant(3L));
        KNum isOne = remainder.IsEqual(remainder.Constant(1L));
        KNum isTwo = remainder.IsEqual(remainder.Constant(2L));

        KNum fraction = bits & ((1L << f.FractionBits) - 1);
        KNum unit = (fraction | ((long)f.Bias << f.FractionBits)).As(f.Real);
        KNum m = (fraction | ((remainder + remainder.Constant((long)f.Bias)) << f.FractionBits)).As(f.Real);
        KNum g = KNum.Polynomial(unit, Guess);
        g = g * KNum.Select(isTwo, 0.6299605249474366, KNum.Select(isOne, 0.7937005259840998, g.Constant(1.0)));
        if (!f.IsSingle)
        {
            KNum error = Error(m, g);
            g = KNum.Fma(g * error, KNum.Polynomial(error, [1.0 / 3, 2.0 / 9, 14.0 / 81]), g);
        }
        KNum root = Refine(m, g);

        KNum scale = third + third.Constant(f.Bias - (middle / 3));
        root = root * (scale << f.FractionBits).As(f.Real);
        root = KNum.Select(isDenormal, root * Math.ScaleB(1, -lift / 3), root);
        root = root.WithSignOf(x);
        KNum isOrdinary = (magnitude > 0.0) & (magnitude < double.PositiveInfinity);
        return KNum.Select(isOrdinary, root, x);
    }

    private static KNum Error(KNum m, KNum g) => KNum.Fma(m * g, -(g * g), 1);

    private static KNum Refine(KNum m, KNum g)
    {
        KNum error = Error(m, g);
        KNum square = g * g;
        KNum first = m * square;
        KNum root = KNum.Fma(first * error, KNum.Polynomial(error, [2.0 / 3, 5.0 / 9]), first);

        // 1 / (3 root^2) is g^2 / 3.
        return KNum.Fma(Residual(m, root) * square, 1.0 / 3, root);
    }

    // m - root^3 without losing what root^2 rounds off.
    private static KNum Residual(KNum m, KNum root)
    {
        if (!m.HasFma && RealFormat.Of(m).IsSingle)
        {
            // The square of an f32 is exact in f64, and what the cube loses is far below an f32's last bit.
            KNum wide = root.To(DType.F64);
            return (m.To(DType.F64) - (wide * wide * wide)).To(DType.F32);
        }
        KNum power = root * root;
        KNum lost = KNum.ProductError(root, root, power);
        return KNum.Residual(power, root, m) - (lost * root);
    }
}
