namespace Graphene.Codegen;

/// <summary>The angle of a point.</summary>
internal static class ArcTangentMath
{
    // atan a = a + a z p(z), z = a^2
    private static readonly double[] ArcTangent32 =
    [
        -0.333331525f, 0.199937671f, -0.14211002f, 0.106657691f, -0.0755166039f, 0.0432047322f, -0.0163631923f,
        0.0029194227f,
    ];

    private static readonly double[] ArcTangent64 =
    [
        -0.33333333333333065, 0.19999999999950949, -0.14285714283900827, 0.1111111108884341, -0.090909091195554889,
        0.07692311101975341, -0.066667038318862337, 0.058825300472773213, -0.05263246637264285, 0.047576800315160837,
        -0.043170472140146104, 0.038726231983230205, -0.033332567198005578, 0.026330878710012835,
        -0.018105168057214755, 0.010243596575984509, -0.0044857684779102524, 0.0014069339253477376,
        -0.00027884679925130725, 2.6094239168997434e-05,
    ];

    /// <summary>
    /// The smaller coordinate over the larger is between 0 and 1; its angle p becomes the point's as p, pi/2 - p, pi/2 + p or pi - p.
    /// </summary>
    public static KNum ArcTangent2(KNum y, KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        KNum width = x.Abs();
        KNum height = y.Abs();
        KNum isSteep = height > width;
        KNum larger = KNum.Select(isSteep, height, width);
        KNum smaller = KNum.Select(isSteep, width, height);

        // Equal ones give 1, two infinities too, and two zeros 0.
        KNum diagonal = KNum.Select(larger.IsEqual(0.0), larger, 1.0);
        KNum ratio = KNum.Select(larger.IsEqual(smaller), diagonal, smaller / larger);
        KNum z = ratio * ratio;
        KNum angle = KNum.Fma(z * KNum.Polynomial(z, f.Pick(ArcTangent32, ArcTangent64)), ratio, ratio);

        KNum isLeft = x.As(f.Integer) < x.As(f.Integer).Constant(0L);
        KNum turn = KNum.Select(isLeft, x.Constant(f.Pick((float)Math.PI, Math.PI)), 0.0);
        turn = KNum.Select(isSteep, f.Pick((float)(Math.PI / 2), Math.PI / 2), turn);
        KNum flips = KNum.Differ(isSteep, isLeft);
        KNum signed = KNum.Select(flips, -angle, angle);

        // The part of pi that its rounding left out, in proportion.
        KNum sum = turn + KNum.Fma(turn, f.Pick(-2.7827534e-8, 3.8981718325193755e-17), signed);
        return sum.WithSignOf(y);
    }
}
