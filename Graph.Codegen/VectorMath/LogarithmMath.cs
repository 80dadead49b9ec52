namespace Graphene.Codegen;

/// <summary>Natural logarithms.</summary>
/// <remarks>
/// x = 2^e m with m between sqrt(1/2) and sqrt(2): log x = e ln2 + log m. Subtracting the bits of sqrt(1/2) from those of x
/// leaves e above the fraction field, whatever side of a power of two m lies on.
/// </remarks>
internal static class LogarithmMath
{
    private const double Ln2 = 0.69314718055994530942;

    // e times the high part is exact.
    private const double Ln2High64 = 0.693147180369123816490;
    private const double Ln2Low64 = 1.90821492927058770002e-10;

    // log(1 + f) = f + f^2 (-1/2 + f p(f))
    private static readonly double[] Log32 =
    [
        -0.5f, 0.333333313f, -0.250005305f, 0.199998468f, -0.16629155f, 0.142361775f, -0.131660029f, 0.125440523f,
        -0.0729938075f,
    ];

    // log((1 + s)/(1 - s)) = 2 s + s z p(z), z = s^2
    private static readonly double[] Log64 =
    [
        0.66666666666667096, 0.39999999999542102, 0.28571428718660352, 0.22222200702327499,
        0.18183464882736664, 0.1531638000259633, 0.14774321121238995,
    ];

    /// <summary>log x: -inf at both zeros, NaN below them.</summary>
    public static KNum Log(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        int lift = f.FractionBits + 2;
        KNum isDenormal = x < f.SmallestNormal;
        KNum normal = KNum.Select(isDenormal, x * Math.ScaleB(1, lift), x);
        KNum distance = normal.As(f.Integer) - RootBits(f, normal);
        KNum m = ((distance & FractionMask(f)) + RootBits(f, normal)).As(f.Real);
        KNum exponent = (distance >> f.FractionBits).To(f.Real);
        exponent = exponent - KNum.Select(isDenormal, x.Constant((double)lift), 0.0);
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
        KNum distance = sum.As(f.Integer) - RootBits(f, sum);
        KNum exponent = distance >> f.FractionBits;
        KNum field = exponent << f.FractionBits;

        // 2^-e is denormal for the largest x; four times as much never is. Where x is denormal, e is 0.
        KNum scaled = (x.As(f.Integer) - field).As(f.Real);
        KNum fourfold = (sum.Constant(4.0).As(f.Integer) - field).As(f.Real);
        KNum rest = scaled + KNum.Fma(fourfold, 0.25, -1);
        KNum result = Combine(f, exponent.To(f.Real), rest);

        result = KNum.Select(x < double.PositiveInfinity, result, x);
        KNum special = KNum.Select(x.IsEqual(-1.0), x.Constant(double.NegativeInfinity), double.NaN);
        result = KNum.Select(x <= -1.0, special, result);
        return KNum.Select(x.Abs() < f.Pick(1e-9f, 1e-18), x, result);
    }

    private static KNum Combine(RealFormat f, KNum exponent, KNum rest)
    {
        if (!f.IsSingle)
        {
            return Combine64(exponent, rest);
        }
        KNum log = KNum.Fma(rest * rest, KNum.Polynomial(rest, Log32), rest);
        return KNum.Fma(exponent, Ln2, log);
    }

    // With s = r / (2 + r): log(1 + r) = r - (r^2/2 - s (r^2/2 + z p(z))), so that errors of the quotient weigh little (the
    // arrangement of fdlibm's e_log.c).
    private static KNum Combine64(KNum exponent, KNum r)
    {
        KNum s = r / (r + 2);
        KNum z = s * s;
        KNum half = r * r * 0.5;
        KNum correction = s * (half + z * KNum.Polynomial(z, Log64));
        correction = KNum.Fma(exponent, Ln2Low64, correction);
        return KNum.Fma(exponent, Ln2High64, r - (half - correction));
    }

    private static KNum RootBits(RealFormat f, KNum like) =>
        like.As(f.Integer).Constant(f.IsSingle ? 0x3F3504F3 : 0x3FE6A09E667F3BCDL);

    private static long FractionMask(RealFormat f) => (1L << f.FractionBits) - 1;
}
