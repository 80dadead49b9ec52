namespace Graphene.Codegen;

/// <summary>The logarithm of an f64 to about 68 bits, as a sum of two.</summary>
/// <remarks>
/// Products and sums carry their rounding errors along (Dekker; see <see cref="KNum.ProductError"/>). x = 2^e m as in
/// <see cref="LogarithmMath"/>, s = (m - 1)/(m + 1), log x = e ln2 + 2 s + s^3 (2/3 + z p(z)), z = s^2.
/// </remarks>
internal static class PairLogarithm
{
    private const double Ln2High = 0.6931471806019545;
    private const double Ln2Low = -4.2009150726810846e-11;
    private const double TwoThirds = 0.66666666666666663;
    private const double TwoThirdsLow = 3.700743415417188e-17;

    private static readonly double[] Tail =
    [
        0.39999999999999997, 0.28571428571433016, 0.22222222220398519, 0.18181818529872029, 0.15384579341050911,
        0.13335481866887125, 0.11691207451773629, 0.11857107222794917,
    ];

    /// <summary>log x for a positive finite x; unspecified for others.</summary>
    public static (KNum High, KNum Low) Log(KNum x)
    {
        (KNum exponent, KNum m) = LogarithmMath.Split(RealFormat.F64, x);
        (KNum s, KNum sLow) = Quotient(m);
        KNum z = s * s;
        KNum zLow = KNum.ProductError(s, s, z) + (s * sLow * 2);

        KNum tail = z * KNum.Polynomial(z, Tail);
        KNum p = tail + TwoThirds;
        KNum pLow = (TwoThirds - p) + tail + TwoThirdsLow;
        (KNum cube, KNum cubeLow) = Product(z, zLow, p, pLow);
        (KNum rest, KNum restLow) = Product(s, sLow, cube, cubeLow);

        KNum twice = s * 2;
        (KNum log, KNum logLow) = Sum(twice, rest);
        logLow = logLow + restLow + (sLow * 2);

        (KNum high, KNum low) = Sum(exponent * Ln2High, log);
        low = KNum.Fma(exponent, Ln2Low, low + logLow);
        return Sum(high, low);
    }

    // (m - 1)/(m + 1); m - 1 is exact, m + 1 is not.
    private static (KNum High, KNum Low) Quotient(KNum m)
    {
        KNum dividend = m - 1;
        KNum divisor = m + 1;
        KNum divisorLow = m - (divisor - 1);
        KNum inverse = 1 / divisor;
        KNum high = dividend * inverse;
        KNum rest = KNum.Residual(high, divisor, dividend) - (high * divisorLow);
        return (high, rest * inverse);
    }

    private static (KNum High, KNum Low) Product(KNum a, KNum aLow, KNum b, KNum bLow)
    {
        KNum high = a * b;
        KNum low = KNum.ProductError(a, b, high);
        low = KNum.Fma(a, bLow, low);
        return (high, KNum.Fma(aLow, b, low));
    }

    // The first is zero or the larger.
    private static (KNum High, KNum Low) Sum(KNum a, KNum b)
    {
        KNum high = a + b;
        return (high, b - (high - a));
    }
}
