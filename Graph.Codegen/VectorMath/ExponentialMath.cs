namespace Graphene.Codegen;

/// <summary>e^x and its relatives.</summary>
/// <remarks>
/// x = n ln2 + r with |r| below ln2/2: e^x = 2^n e^r, e^r by a polynomial. Adding a large number rounds x / ln2 to the integer n and
/// leaves it, biased, in the low bits of the sum, from where shifts move it into the exponent field of 2^n.
/// </remarks>
internal static class ExponentialMath
{
    private const double InverseLn2 = 1.4426950408889634;

    // High parts have few enough bits that n times them is exact in fused multiply-adds; low parts are the rest.
    private const double Ln2High32 = 0.693147182464599609375;
    private const double Ln2Low32 = -1.90465429995776804525e-9;
    private const double Ln2High64 = 0.69314718055994528623;
    private const double Ln2Low64 = 2.3190468138462995584e-17;

    // High parts of 9 and of 32 bits, n times which is exact in a product alone.
    private const double Ln2Short32 = 0.693359375;
    private const double Ln2Rest32 = -2.1219444005469057e-4;
    private const double Ln2Short64 = 0.693147180369123816490;
    private const double Ln2Rest64 = 1.9082149292705877e-10;

    // e^r = 1 + r + r^2 q(r)
    private static readonly double[] Exp32 =
        [0.49999994f, 0.166665226f, 0.0416681878f, 0.00836859178f, 0.00138290867f];

    private static readonly double[] Exp64 =
    [
        0.500000000000001, 0.16666666666666408, 0.041666666666547919, 0.0083333333336164678, 0.0013888888937359379,
        0.00019841269092603169, 2.4801500600225405e-05, 2.7558060402289664e-06, 2.7627330850984777e-07,
        2.4821758694225766e-08,
    ];

    // e^r - 1 = r + r^2 q(r), relative
    private static readonly double[] ExpMinusOne32 =
        [0.5f, 0.166666657f, 0.0416664965f, 0.00833352841f, 0.0013932914f, 0.00019780967f];

    private static readonly double[] ExpMinusOne64 =
    [
        0.5, 0.16666666666666674, 0.041666666666666442, 0.0083333333333237211, 0.0013888888889086186,
        0.00019841269881385151, 2.4801586835133867e-05, 2.7557247673064971e-06, 2.7557724677826096e-07,
        2.5108364268397327e-08, 2.0773463263677718e-09,
    ];

    private const double LogisticFactor = 1.75;

    // 1.75 (e^-r - 1) = r p(r), relative to 1.75 e^-r
    private static readonly double[] Logistic32 =
        [-LogisticFactor, 0.874999881f, -0.291664183f, 0.0729199648f, -0.0146458279f, 0.00241661235f];

    private static readonly double[] Logistic64 =
    [
        -LogisticFactor, 0.87500000000000189, -0.29166666666666236, 0.072916666666425128, -0.01458333333362258, 0.0024305555653990961,
        -0.00034722221786423279, 4.3402606412049985e-05, -4.8225363611211808e-06, 4.8356692006251419e-07, -4.398536477340843e-08,
    ];

    // Both sides of the logistic quotient are multiplied by this power of two: they are normal numbers where the
    // result is not.
    private const int LogisticScale32 = 64;
    private const int LogisticScale64 = 128;

    // K e^-r, relative, for at most half an eighth of ln2. The products of K and 2^(j/8) nearly are machine numbers.
    private const double EighthsFactor = 1.80747485f;
    private static readonly double[] LogisticEighths32 = [EighthsFactor, -1.80747485f, 0.903866887f, -0.301280111f];

    // ln2/8 is this integer times this number, but for 2^-37 of it. Products of the integer and numbers of eighths are
    // exact.
    private const int StepsOfEighth = 6741;
    private const double Ln2Step32 = 1.28531965e-5f;

    // The factor times 2^(j/8), less the j that the upper bits of the fraction get.
    private const int EighthShift = 20;
    private static readonly ValueList<Scalar> EighthPowers = [.. Enumerable.Range(0, KLookup.Count).Select(j =>
    {
        float power = (float)Math.ScaleB(EighthsFactor * Math.Pow(2, j / 8.0), LogisticScale32);
        return Scalar.FromBits(DType.F32, BitConverter.SingleToUInt32Bits(power) - ((uint)j << EighthShift));
    })];

    // tanh r = r + c r^3, relative, for at most half a sixteenth of ln2.
    private const double TangentCube32 = -0.333281398f;

    // tanh a = (2^n - 1) / (2^n + 1) with n = 2 a / ln2. For each eighth of n: a factor g of both sides and what 2^n is
    // computed from, 2 g 2^(j/8) / (1 + j/8).
    private static readonly (float Factor, float Power)[] TangentEighths =
    [
        (0.5f, 1), (0.890617251f, 1.72662222f), (0.802194178f, 1.52636003f), (0.752502501f, 1.41945457f),
        (0.669382632f, 1.2622f), (0.628156662f, 1.19230771f), (0.571845114f, 1.0991143f), (0.527696669f, 1.0323199f),
    ];

    private static readonly ValueList<Scalar> TangentFactors = [.. TangentEighths.Select(e => Scalar.FromNumber(DType.F32, e.Factor))];
    private static readonly ValueList<Scalar> TangentPowers = [.. TangentEighths.Select(e => Scalar.FromNumber(DType.F32, e.Power))];

    // tanh x = x + x z p(z)
    private static readonly double[] Tangent32 =
        [-0.333333164f, 0.133325443f, -0.0538475476f, 0.0210507121f, -0.00624284195f];

    private static readonly double[] Tangent64 =
    [
        -0.33333333333333298, 0.13333333333326577, -0.053968253963734177, 0.021869488385069497, -0.008863232588115404,
        0.00359209189160015, -0.0014555419254375114, 0.0005884405937707515, -0.00023337139616934628,
        8.33014971261793e-05, -1.9485229405922302e-05,
    ];

    /// <summary>e^x.</summary>
    public static KNum Exponential(KNum x) => Exponential(x, null);

    /// <summary>e^(x + y) for a tiny y, or e^x.</summary>
    public static KNum Exponential(KNum x, KNum? y)
    {
        RealFormat f = RealFormat.Of(x);

        // What is zero is not computed: processors take hundreds of cycles for a product that leaves the range, and whoever hides
        // elements by huge negative numbers, as attention does, has many.
        KNum isZero = x < f.Pick(-104, -746);
        KNum bounded = KNum.Select(isZero, 0.0, x.AtMost(f.Pick(89, 710)));
        (KNum bits, KNum n, KNum r) = Reduce(f, bounded, 2 * f.Bias);
        r = y is { } small ? r + small : r;
        KNum power = PowerOf(f, r);

        // 2^n leaves the range of normal numbers; its two halves never do, and only the last product rounds.
        KNum half = bits >>> 1;
        KNum otherHalf = bits - half;
        return KNum.Select(isZero, 0.0, KNum.Scale(power, n, power * Scale(f, half) * Scale(f, otherHalf)));
    }

    /// <summary>e^x - 1.</summary>
    public static KNum ExponentialMinusOne(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum bounded = x.AtMost(f.Pick(89, 710)).AtLeast(f.Pick(-18, -38));

        // Half of 2^n, which is finite where the result is.
        (KNum bits, _, KNum r) = Reduce(f, bounded, f.Bias - 1);
        KNum half = Scale(f, bits);
        KNum result = KNum.Fma(half, PowerMinusOne(f, r), half - 0.5) * 2;

        // Tiny numbers, and the sign of zero, do not survive halving.
        return KNum.Select(x.Abs() < f.Pick(1e-9f, 1e-18), x, result);
    }

    /// <summary>tanh x.</summary>
    public static KNum HyperbolicTangent(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        return (f.IsSingle && x.HasFma ? TangentByEighths(x.Abs()) : TangentOf(f, x.Abs())).WithSignOf(x);
    }

    // With a = n ln2/16 + r and t = tanh r the addition theorem makes tanh a = (p + q t) / (q + p t), p = g (2^(n/8) - 1) and
    // q = g (2^(n/8) + 1). At n = 0 that is t. Elsewhere g is such that p and q, where rounding them would weigh, nearly
    // are machine numbers, and that the sides of the quotient lie below a power of two, where rounding errs least.
    private static KNum TangentByEighths(KNum magnitude)
    {
        KNum a = magnitude.AtMost(9.125);
        double shift = RealFormat.F32.RoundingShift + ((RealFormat.F32.Bias - 1) * KLookup.Count);
        KNum sum = KNum.Fma(a, 16 * InverseLn2, shift);
        KNum n = sum.As(DType.I32);
        KNum r = KNum.Fma(sum - shift, -Ln2High32 / 16, a);

        // 2^(n/8) is the product of its table's entry and 2^k (1 + j/8), whose bits are those of n, an eighth being a bit of the fraction.
        KNum factor = KNum.Lookup(TangentFactors, n);
        KNum p = KNum.Fma((n << EighthShift).As(DType.F32), KNum.Lookup(TangentPowers, n), -factor);
        KNum q = KNum.Fma(factor, 2, p);
        KNum t = KNum.Fma(r * r * TangentCube32, r, r);
        return KNum.Fma(q, t, p) / KNum.Fma(p, t, q);
    }

    // Near zero x + x z p(z) with z = x^2, elsewhere 1 - 2 / (e^2x + 1).
    private static KNum TangentOf(RealFormat f, KNum magnitude)
    {
        KNum z = magnitude * magnitude;
        KNum small = KNum.Fma(z * KNum.Polynomial(z, f.Pick(Tangent32, Tangent64)), magnitude, magnitude);

        KNum bounded = magnitude.AtMost(f.Pick(9.125, 19.125));
        (KNum bits, _, KNum r) = Reduce(f, bounded + bounded, f.Bias);
        KNum large = 1 - (2 / KNum.Fma(PowerOf(f, r), Scale(f, bits), 1));
        return KNum.Select(magnitude > 0.55, large, small);
    }

    /// <summary>1 / (1 + e^-x): with x = n ln2 + r it is 2^n / (2^n + e^-r), in which nothing cancels on either side of 0.</summary>
    /// <remarks>
    /// Numerator and denominator are 1.75 times as large. 2^n + 1 loses as much as 1 where 2^n is half a unit of 1's
    /// last place; 1.75 times that is nearly a whole one. Both are multiplied by a power of two as well.
    /// </remarks>
    public static KNum Logistic(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        int scale = f.IsSingle ? LogisticScale32 : LogisticScale64;
        KNum bounded = x.AtMost(40).AtLeast(f.Pick(-104, -746));
        if (f.IsSingle && x.HasFma)
        {
            return LogisticByEighths(bounded);
        }
        (KNum bits, _, KNum r) = Reduce(f, bounded, f.Bias + scale);
        long fraction = (long)((LogisticFactor - 1) * (1L << f.FractionBits));
        KNum power = ((bits << f.FractionBits) | fraction).As(f.Real);
        KNum sum = power + Math.ScaleB(LogisticFactor, scale);
        return power / KNum.Fma(KNum.Polynomial(r, Scaled(f.Pick(Logistic32, Logistic64), scale)), r, sum);
    }

    // n counts eighths of ln2. Their powers of two are no machine numbers, so that e^-r is rounded before they are added.
    private static KNum LogisticByEighths(KNum x)
    {
        double shift = RealFormat.F32.RoundingShift;
        KNum sum = KNum.Fma(x, 8 * InverseLn2, shift);
        KNum steps = KNum.Fma(sum, StepsOfEighth, -StepsOfEighth * shift);
        KNum r = KNum.Fma(steps, -Ln2Step32, x);
        KNum n = sum.As(DType.I32);
        KNum power = ((n << EighthShift) + KNum.Lookup(EighthPowers, n).As(DType.I32)).As(DType.F32);
        return power / (KNum.Polynomial(r, Scaled(LogisticEighths32, LogisticScale32)) + power);
    }

    private static double[] Scaled(ReadOnlySpan<double> coefficients, int exponent)
    {
        double[] scaled = coefficients.ToArray();
        foreach (ref double coefficient in scaled.AsSpan())
        {
            coefficient = Math.ScaleB(coefficient, exponent);
        }
        return scaled;
    }

    /// <summary>e^x for a moderate x, whose result is a normal number; relative error as e^x.</summary>
    public static KNum ModerateExponential(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        (KNum bits, _, KNum r) = Reduce(f, x, f.Bias);
        return PowerOf(f, r) * Scale(f, bits);
    }

    // n + offset in the low bits of an integer, n, and what is left of x.
    private static (KNum Bits, KNum Whole, KNum Remainder) Reduce(RealFormat f, KNum x, int offset)
    {
        double shift = f.RoundingShift + offset;
        KNum sum = KNum.Fma(x, InverseLn2, shift);
        KNum n = sum - shift;
        KNum rest = KNum.Fma(n, -(x.HasFma ? f.Pick(Ln2High32, Ln2High64) : f.Pick(Ln2Short32, Ln2Short64)), x);
        rest = KNum.Fma(n, -(x.HasFma ? f.Pick(Ln2Low32, Ln2Low64) : f.Pick(Ln2Rest32, Ln2Rest64)), rest);
        return (sum.As(f.Integer), n, rest);
    }

    private static KNum PowerOf(RealFormat f, KNum r) =>
        KNum.Fma(r * r, KNum.Polynomial(r, f.Pick(Exp32, Exp64)), r) + 1;

    private static KNum PowerMinusOne(RealFormat f, KNum r) =>
        KNum.Fma(r * r, KNum.Polynomial(r, f.Pick(ExpMinusOne32, ExpMinusOne64)), r);

    private static KNum Scale(RealFormat f, KNum biasedExponent) => (biasedExponent << f.FractionBits).As(f.Real);
}
