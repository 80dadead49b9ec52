namespace Graphene.Codegen;

/// <summary>x^y = 2^(y log2 |x|), with the sign and the special cases of IEEE 754 pow.</summary>
/// <remarks>
/// The product multiplies the relative error of the logarithm by up to 150 (f32) or 1100 (f64), so the logarithm needs more bits
/// than the result: f32 is computed in f64, f64 in pairs of f64 (<see cref="PairLogarithm"/>).
/// </remarks>
internal static class PowerMath
{
    // log2((1 + s)/(1 - s)) = s p(s^2)
    private static readonly double[] Log2 =
        [2.8853900817900828, 0.96179667334879282, 0.57708358343922828, 0.41167281846506582, 0.34072814672857721];

    // 2^r = 1 + r p(r)
    private static readonly double[] Exp2 =
    [
        0.69314720311786993, 0.24022648059342228, 0.055503317629179656, 0.0096184594603362511, 0.0013399840796118833,
        0.00015346976007154673,
    ];

    /// <summary>x^y.</summary>
    public static KNum Power(KNum x, KNum y)
    {
        RealFormat f = RealFormat.Of(x);
        if (f.IsSingle && y.Expr is KConstant { Value.AsDouble: 3 })
        {
            return Cube32(x);
        }
        KNum magnitude = x.Abs();
        KNum value = f.IsSingle ? Positive32(magnitude, y) : Positive64(magnitude, y);

        KNum isInteger = y.Floor().IsEqual(y);
        KNum half = y * 0.5;
        KNum isOdd = isInteger & half.Floor().IsNotEqual(half);
        KNum sign = KNum.Select(isOdd, x.As(f.Integer) & f.SignBit, x.As(f.Integer).Constant(0L));
        value = (value.As(f.Integer) ^ sign).As(f.Real);

        KNum isNegative = (x < 0.0) & (x > double.NegativeInfinity);
        value = KNum.Select(isNegative & isInteger.Not(), double.NaN, value);
        value = KNum.Select(x.IsEqual(x) & y.IsEqual(y), value, x + y);
        return KNum.Select(y.IsEqual(0.0) | x.IsEqual(1.0), 1.0, value);
    }

    // GELU by tanh has a cube for each element. The square of an f32 is exact in f64, and their product is rounded once before the
    // result is: as near as the general way comes.
    private static KNum Cube32(KNum x)
    {
        KNum wide = x.To(DType.F64);
        return (wide * wide * wide).To(DType.F32);
    }

    private static KNum Positive32(KNum magnitude, KNum y)
    {
        // Every f32 is a normal f64.
        KNum x = magnitude.To(DType.F64);
        (KNum exponent, KNum m) = LogarithmMath.Split(RealFormat.F64, x);
        KNum s = (m - 1) / (m + 1);
        KNum log = KNum.Fma(s, KNum.Polynomial(s * s, Log2), exponent);
        KNum product = Product(x, log, y.To(DType.F64));

        const double Shift = 6755399441055744.0 + 1023;
        KNum bounded = product.AtMost(300).AtLeast(-300);
        KNum sum = bounded + Shift;
        KNum rest = bounded - (sum - Shift);
        KNum power = KNum.Fma(KNum.Polynomial(rest, Exp2), rest, 1);
        return (power * (sum.As(DType.I64) << 52).As(DType.F64)).To(DType.F32);
    }

    private static KNum Positive64(KNum magnitude, KNum y)
    {
        (KNum high, KNum low) = PairLogarithm.Log(magnitude);
        KNum product = Product(magnitude, high, y);
        KNum lost = KNum.ProductError(high, y, product) + (low * y);

        // Where something is infinite, the small part is not a number, and does not matter.
        return ExponentialMath.Exponential(product, KNum.Select(lost.Abs() < 1.0, lost, 0.0));
    }

    // y log x with the limits that a product alone would miss: log 0, log inf, and 0 times an infinite y.
    private static KNum Product(KNum x, KNum log, KNum y)
    {
        log = KNum.Select(x.IsEqual(0.0), double.NegativeInfinity, log);
        log = KNum.Select(x.IsEqual(double.PositiveInfinity), double.PositiveInfinity, log);
        return KNum.Select(x.IsEqual(1.0), 0.0, log * y);
    }
}
