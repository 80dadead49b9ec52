namespace Graphene.Codegen;

/// <summary>Natural logarithms.</summary>
/// <remarks>
/// x = 2^e m with m between sqrt(1/2) and sqrt(2): log x = e ln2 + log m. Adding the distance of the bits of sqrt(1/2) and 1 to those of x
/// leaves the biased e above the fraction field, whatever side of a power of two m lies on.
/// </remarks>
internal static class LogarithmMath
{
    private const double TwoTo52 = 4503599627370496.0;
    private const double Ln2 = 0.69314718055994530942;

    // The high part has 15 bits, so that e times it is exact.
    private const double Ln2High32 = 0.693145751953125;
    private const double Ln2Low32 = 1.4286068203094173e-6;

    // The high part has 32 bits, so that e times it is exact.
    private const double Ln2High64 = 0.6931471806019545;
    private const double Ln2Low64 = -4.2009150726810846e-11;

    // log(1 + r) = r + r^2 p(r)
    private static readonly double[] Log32 =
    [
        -0.5f, 0.333333313f, -0.250005305f, 0.199998468f, -0.16629155f, 0.142361775f, -0.131660029f, 0.125440523f,
        -0.0729938075f,
    ];

    // log((1 + s)/(1 - s)) = 2 s + s z p(z), z = s^2
    private static readonly double[] Log64 =
    [
        0.66666666666667096, 0.39999999999542102, 0.28571428718660352, 0.22222200702327499, 0.18183464882736664,
        0.1531638000259633, 0.14774321121238995,
    ];

    /// <summary>log x: -inf at both zeros, NaN below them.</summary>
    public static KNum Log(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum isUsual = (x >= f.SmallestNormal) & (x < double.PositiveInfinity);
        return KNum.SelectRarely(isUsual.Not(), LogOfAny(f, x), LogOfNormal(f, x));
    }

    private static KNum LogOfNormal(RealFormat f, KNum x)
    {
        (KNum biased, KNum m) = SplitNormal(f, x);
        return Combine(f, ToReal(f, biased) - f.Bias, m - 1);
    }

    private static KNum LogOfAny(RealFormat f, KNum x)
    {
        (KNum exponent, KNum m) = Split(f, x);
        KNum result = Combine(f, exponent, m - 1);

        // What is not below infinity is infinity or NaN; what is not above zero has no logarithm.
        result = KNum.Select(x < double.PositiveInfinity, result, x);
        KNum special = KNum.Select(x.IsEqual(0.0), x.Constant(double.NegativeInfinity), double.NaN);
        return KNum.Select(x <= 0.0, special, result);
    }

    /// <summary>log(1 + x): 1 + x is scaled by 2^-e before it is rounded, so that small x keep all their bits.</summary>
    public static KNum LogPlusOne(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum sum = x + 1;
        KNum biased = Distance(f, sum) >>> f.FractionBits;
        KNum field = (biased - biased.Constant((long)f.Bias)) << f.FractionBits;

        // 2^-e is denormal for the largest x; four times as much never is. Where x is denormal, e is 0.
        KNum scaled = (x.As(f.Integer) - field).As(f.Real);
        KNum fourfold = (sum.Constant(4.0).As(f.Integer) - field).As(f.Real);
        KNum rest = scaled + KNum.Fma(fourfold, 0.25, -1);
        KNum result = Combine(f, ToReal(f, biased) - f.Bias, rest);

        // The sum lost the sign of a zero; results have the sign of x.
        KNum sign = x.As(f.Integer) & f.SignBit;
        result = (result.As(f.Integer) | sign).As(f.Real);
        KNum special = KNum.Select(x.IsEqual(-1.0), x.Constant(double.NegativeInfinity), double.NaN);
        special = KNum.Select(x > -1.0, x, special);
        KNum isUsual = (x > -1.0) & (x < double.PositiveInfinity);
        return KNum.SelectRarely(isUsual.Not(), special, result);
    }

    /// <summary>e and m of a positive finite number; unspecified for others.</summary>
    public static (KNum Exponent, KNum Mantissa) Split(RealFormat f, KNum x)
    {
        int lift = f.FractionBits + 2;
        KNum isDenormal = x < f.SmallestNormal;
        KNum normal = KNum.Select(isDenormal, x * Math.ScaleB(1, lift), x);
        KNum bias = KNum.Select(isDenormal, x.Constant((double)(f.Bias + lift)), f.Bias);
        (KNum biased, KNum m) = SplitNormal(f, normal);
        return (ToReal(f, biased) - bias, m);
    }

    // Of a positive normal number: e + bias as an integer, and m.
    private static (KNum Biased, KNum Mantissa) SplitNormal(RealFormat f, KNum x)
    {
        KNum distance = Distance(f, x);
        KNum m = ((distance & ((1L << f.FractionBits) - 1)) + distance.Constant(RootBits(f))).As(f.Real);
        return (distance >>> f.FractionBits, m);
    }

    private static KNum Combine(RealFormat f, KNum exponent, KNum rest)
    {
        if (!f.IsSingle)
        {
            return Combine64(exponent, rest);
        }
        KNum log = KNum.Fma(rest * rest, KNum.Polynomial(rest, Log32), rest);
        return rest.HasFma
            ? KNum.Fma(exponent, Ln2, log)
            : (exponent * Ln2High32) + (log + (exponent * Ln2Low32));
    }

    // With s = r / (2 + r): log(1 + r) = r - (r^2/2 - s (r^2/2 + z p(z))), so that errors of the quotient weigh little (the
    // arrangement of fdlibm's e_log.c).
    private static KNum Combine64(KNum exponent, KNum r)
    {
        KNum s = r / (r + 2);
        KNum z = s * s;
        KNum half = r * r * 0.5;
        KNum correction = s * (half + (z * KNum.Polynomial(z, Log64)));
        correction = KNum.Fma(exponent, Ln2Low64, correction);
        return KNum.Fma(exponent, Ln2High64, r - (half - correction));
    }

    // The bits of x moved up by the distance from sqrt(1/2) to 1.
    private static KNum Distance(RealFormat f, KNum x)
    {
        KNum bits = x.As(f.Integer);
        return bits + bits.Constant(((long)f.Bias << f.FractionBits) - RootBits(f));
    }

    // A small number that is not negative. AVX2 converts no 64-bit integers, but the fraction field of 2^52 holds one.
    private static KNum ToReal(RealFormat f, KNum n) =>
        f.IsSingle ? n.To(DType.F32) : (n | BitConverter.DoubleToInt64Bits(TwoTo52)).As(DType.F64) - TwoTo52;

    private static long RootBits(RealFormat f) => f.IsSingle ? 0x3F3504F3 : 0x3FE6A09E667F3BCD;
}
