namespace Graphene.Codegen;

/// <summary>The error function.</summary>
/// <remarks>
/// Near zero x + x p(x^2); elsewhere 1 - erfc|x|, where erfc is e^q(|x|) in f32 and e^(-x^2) times a polynomial in
/// (|x| - 2)/(|x| + 2) in f64.
/// </remarks>
internal static class ErrorFunctionMath
{
    // erf x = x + x p(x^2)
    private static readonly double[] Small32 =
        [0.128379151f, -0.376124978f, 0.112818435f, -0.026767347f, 0.00499403197f, -0.000599445717f];

    private static readonly double[] Small64 =
    [
        0.12837916709551256, -0.37612638903183343, 0.11283791670936942, -0.026866170641955914, 0.0052239775966893545,
        -0.00085483254816486726, 0.00012055280359694605, -1.492446226686761e-05, 1.6444099523244346e-06,
        -1.6183527330254977e-07, 1.3614379206062852e-08, -7.6029057078938934e-10,
    ];

    // log erfc a = p(a)
    private static readonly double[] Large32 =
    [
        -0.000198467736f, -1.12766409f, -0.637201667f, -0.103914574f, 0.022218734f, -0.0030411724f, 0.00019573023f,
    ];

    // erfc a e^(a^2) = p(t)
    private static readonly double[] Large64 =
    [
        0.25539567631050575, -0.42718584741395854, 0.24165819424245724, -0.078978581015738333, 0.0037328924069621287,
        0.0069974617707466583, -0.00084714297674785095, -0.00098197366708768384, 4.3582199763040992e-05,
        0.00017444007012820971, 2.7349172321386315e-05, -2.9468676524066798e-05, -1.9212708821454207e-05,
        -5.1537843080551155e-06,
    ];

    /// <summary>erf x.</summary>
    public static KNum ErrorFunction(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum sign = x.As(f.Integer) & f.SignBit;
        KNum a = x.Abs();
        KNum square = a * a;
        KNum small = KNum.Fma(KNum.Polynomial(square, f.Pick(Small32, Small64)), a, a);
        KNum large = 1 - (f.IsSingle ? Complement32(a) : Complement64(a));
        KNum result = KNum.Select(a > f.Pick(0.921875, 1), large, small);
        return (result.As(f.Integer) | sign).As(f.Real);
    }

    // Beyond the bounds, what is left of 1 rounds to 1.
    private static KNum Complement32(KNum a) =>
        ExponentialMath.ModerateExponential(KNum.Polynomial(a.AtMost(3.9296875), Large32));

    private static KNum Complement64(KNum a)
    {
        KNum bounded = a.AtMost(6);
        KNum t = (bounded - 2) / (bounded + 2);
        return ExponentialMath.ModerateExponential(-(bounded * bounded)) * KNum.Polynomial(t, Large64);
    }
}
