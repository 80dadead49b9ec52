namespace Graphene.Codegen;

/// <summary>Sine, cosine and tangent.</summary>
/// <remarks>
/// |x| = n pi/2 + r with |r| up to pi/4: n by the rounding shift of a product, r by subtracting n times pi/2 in three parts with
/// fused multiply-adds (Cody and Waite); the first step is exact. Without those, parts of pi/2 are so short that n times them is exact,
/// and f32 takes them in f64. Beyond <see cref="QuickLimit"/> a branch that hardly any
/// program enters multiplies by a window of the digits of 2/pi instead (<see cref="AngleReduction"/>).
/// </remarks>
internal static class TrigonometricMath
{
    private const double TwoOverPi = 0.63661977236758134;

    // pi/2 in parts of 24 and of 53 bits.
    private static readonly double[] HalfPi32 = [1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15];

    private static readonly double[] HalfPi64 = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33];

    // pi/2 in parts of 33 bits, and the rest.
    private static readonly double[] HalfPiShort =
        [1.5707963267341256, 6.0771005063039660e-11, 2.0222662487111665e-21, 8.4784276603689000e-32];

    // sin r = r + r z p(z), z = r^2
    private static readonly double[] Sine32 = [-0.166666538f, 0.00833210628f, -0.000195078843f];

    private static readonly double[] Sine64 =
    [
        -0.16666666666666627, 0.0083333333333211277, -0.00019841269828771573, 2.7557313329877945e-06,
        -2.5050701019835266e-08, 1.5893462390415297e-10,
    ];

    // cos r = 1 + z p(z)
    private static readonly double[] Cosine32 = [-0.5f, 0.0416666456f, -0.00138873002f, 2.44305302e-05f];

    private static readonly double[] Cosine64 =
    [
        -0.5, 0.041666666666666588, -0.0013888888888872086, 2.4801587288190957e-05, -2.7557313976105522e-07,
        2.0875671862599932e-09, -1.1356976891281897e-11,
    ];

    // n of the reduced argument, which angle of the quarter turn, and the rest.
    private delegate KNum Finish(RealFormat f, KNum quadrant, KNum rest);

    /// <summary>sin x.</summary>
    public static KNum Sine(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum sign = x.As(f.Integer) & f.SignBit;
        return Reduced(f, x, (f, quadrant, rest) =>
        {
            KNum value = KNum.Select(IsOdd(f, quadrant), CosineOf(f, rest), SineOf(f, rest));
            return Signed(f, value, QuadrantSign(f, quadrant) ^ sign);
        });
    }

    /// <summary>cos x, a quarter turn ahead of sin |x|.</summary>
    public static KNum Cosine(KNum x) => Reduced(RealFormat.Of(x), x, (f, quadrant, rest) =>
    {
        KNum value = KNum.Select(IsOdd(f, quadrant), SineOf(f, rest), CosineOf(f, rest));
        return Signed(f, value, QuadrantSign(f, quadrant + quadrant.Constant(1L)));
    });

    /// <summary>tan x: sine over cosine, or minus the inverse.</summary>
    public static KNum Tangent(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum sign = x.As(f.Integer) & f.SignBit;
        return Reduced(f, x, (f, quadrant, rest) =>
        {
            KNum sine = SineOf(f, rest);
            KNum cosine = CosineOf(f, rest);
            KNum isOdd = IsOdd(f, quadrant);
            KNum value = KNum.Select(isOdd, cosine, sine) / KNum.Select(isOdd, sine, cosine);
            return Signed(f, value, (quadrant << (f.Width - 1)) ^ sign);
        });
    }

    private static double QuickLimit(RealFormat f) => f.Pick(1 << 17, 1 << 20);

    private static KNum Reduced(RealFormat f, KNum x, Finish finish)
    {
        KNum magnitude = x.Abs();
        KNum sum = KNum.Fma(magnitude, TwoOverPi, f.RoundingShift);
        KNum n = sum - f.RoundingShift;
        KNum quick = finish(f, sum.As(f.Integer), x.HasFma ? Rest(f, magnitude, n) : RestOfProducts(f, magnitude, n));

        (KNum quadrant, KNum exactRest) = f.IsSingle
            ? AngleReduction.Reduce32(magnitude)
            : AngleReduction.Reduce64(magnitude);
        KNum careful = finish(f, quadrant, exactRest);
        careful = KNum.Select(magnitude < double.PositiveInfinity, careful, double.NaN);
        return KNum.SelectRarely(magnitude > QuickLimit(f), careful, quick);
    }

    private static KNum Rest(RealFormat f, KNum magnitude, KNum n)
    {
        ReadOnlySpan<double> halfPi = f.Pick(HalfPi32, HalfPi64);
        KNum rest = KNum.Fma(n, -halfPi[0], magnitude);
        rest = KNum.Fma(n, -halfPi[1], rest);
        return KNum.Fma(n, -halfPi[2], rest);
    }

    // n has up to 20 bits, a part 33.
    private static KNum RestOfProducts(RealFormat f, KNum magnitude, KNum n)
    {
        KNum rest = magnitude.To(DType.F64);
        n = n.To(DType.F64);
        foreach (double part in HalfPiShort.AsSpan(0, f.IsSingle ? 2 : 4))
        {
            rest = rest - (n * part);
        }
        return rest.To(f.Real);
    }

    private static KNum SineOf(RealFormat f, KNum r)
    {
        KNum z = r * r;
        return KNum.Fma(z * KNum.Polynomial(z, f.Pick(Sine32, Sine64)), r, r);
    }

    private static KNum CosineOf(RealFormat f, KNum r)
    {
        KNum z = r * r;
        ReadOnlySpan<double> coefficients = f.Pick(Cosine32, Cosine64);
        if (r.HasFma)
        {
            return KNum.Fma(KNum.Polynomial(z, coefficients), z, 1);
        }

        // The first coefficient is -1/2: what 1 - z/2 rounds off is exact, and joins the small terms.
        KNum half = z * 0.5;
        KNum most = 1 - half;
        return most + (((1 - most) - half) + (z * (z * KNum.Polynomial(z, coefficients[1..]))));
    }

    private static KNum IsOdd(RealFormat f, KNum quadrant) =>
        (quadrant << (f.Width - 1)) < quadrant.Constant(0L);

    private static KNum QuadrantSign(RealFormat f, KNum quadrant) => (quadrant & 2) << (f.Width - 2);

    private static KNum Signed(RealFormat f, KNum value, KNum sign) => (value.As(f.Integer) ^ sign).As(f.Real);
}
