namespace Graphene.Codegen;

/// <summary>The error function.</summary>
/// <remarks>
/// In f32 polynomials on eight intervals. In f64, and without fused multiply-add: near zero x + x p(x^2), elsewhere 1 - erfc|x|, where
/// erfc is e^q(|x|) in f32 and e^(-x^2) times a polynomial in (|x| - 2)/(|x| + 2) in f64.
/// </remarks>
internal static class ErrorFunctionMath
{
    // erf, on intervals of 0 to 3.93, beyond which it rounds to 1; erf x - x on the first.
    private static readonly PiecewisePolynomial Pieces = new(bound: 3.9296875, first: 1.25, scale: 0.954f, cuts: 4,
    [
        [0, 0, 0.128379166f, -6.63570518e-07f, -0.376087457f, -0.000707215571f, 0.118395656f, -0.0198757648f],
        [0.392127723f, 0.420799106f, 0.967556059f, -0.379405558f, -0.223334461f, 0.17025505f, 0.0401966386f, -0.050378494f],
        [0.654395163f, 0.645270467f, 0.735319078f, -0.481189221f, -0.0351899154f, 0.171903402f, -0.033745721f, -0.0380270854f],
        [1.05340183f, 0.863706112f, 0.371996015f, -0.391862392f, 0.151143506f, 0.0510829613f, -0.0653281882f, 0.00837295782f],
        [1.57314599f, 0.973902941f, 0.0949876755f, -0.149429798f, 0.125077084f, -0.0485510714f, -0.00764189707f, 0.016471779f],
        [2.09036779f, 0.996885717f, 0.0142804924f, -0.0298516545f, 0.0368497409f, -0.0285564736f, 0.0125511941f, -0.00120141893f],
        [2.61630297f, 0.99978441f, 0.00120143243f, -0.00314322347f, 0.00507934066f, -0.00560220936f, 0.00441511208f, -0.00226071151f],
        [3.42100692f, 0.999998689f, 9.50656886e-06f, -3.24228495e-05f, 6.39804639e-05f, -9.97203606e-05f, 0.000170167026f, -0.000156048278f],
    ]);

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
        return (f.IsSingle && x.HasFma ? Pieces.At(x.Abs()) : OfMagnitude(f, x.Abs())).WithSignOf(x);
    }

    private static KNum OfMagnitude(RealFormat f, KNum a)
    {
        KNum square = a * a;
        KNum small = KNum.Fma(KNum.Polynomial(square, f.Pick(Small32, Small64)), a, a);
        KNum large = 1 - (f.IsSingle ? Complement32(a) : Complement64(a));
        return KNum.Select(a > f.Pick(0.921875, 1), large, small);
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
