namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>The functions that vector math is held against.</summary>
internal static class MathReference
{
    /// <summary>A value to well under an f32's last place.</summary>
    public static double OfSingle(ScalarOp op, double x, double y) => op switch
    {
        ScalarOp.Exponential => Math.Exp(x),
        ScalarOp.ExponentialMinusOne => ExpMinusOne(x),
        ScalarOp.Log => Math.Log(x),
        ScalarOp.LogPlusOne => LogPlusOne(x),
        ScalarOp.Sine => Math.Sin(x),
        ScalarOp.Cosine => Math.Cos(x),
        ScalarOp.Tangent => Math.Tan(x),
        ScalarOp.HyperbolicTangent => Math.Tanh(x),
        ScalarOp.Logistic => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x)),
        ScalarOp.ErrorFunction => Erf(x),
        ScalarOp.CubeRoot => Math.Cbrt(x),
        ScalarOp.ReciprocalSquareRoot => 1 / Math.Sqrt(x),
        ScalarOp.SquareRoot => Math.Sqrt(x),
        ScalarOp.Power => Math.Pow(x, y),
        ScalarOp.ArcTangent2 => Math.Atan2(x, y),
        _ => throw new ArgumentOutOfRangeException(nameof(op)),
    };

    /// <summary>A finite value to some 250 bits; null where the function has none.</summary>
    public static BigReal? OfDouble(ScalarOp op, double x, double y) => op switch
    {
        // Beyond the precision of differences from 1; the next terms are too small to matter.
        ScalarOp.ExponentialMinusOne or ScalarOp.LogPlusOne or ScalarOp.HyperbolicTangent when Math.Abs(x) < 1e-30 => x,
        ScalarOp.Exponential => BigReal.Exp(x),
        ScalarOp.ExponentialMinusOne => BigReal.Exp(x) - BigReal.One,
        ScalarOp.Log when x > 0 => BigReal.Log(x),
        ScalarOp.LogPlusOne when x > -1 => BigReal.Log(BigReal.One + x),
        ScalarOp.Sine => x < 0 ? -BigReal.SinCos(-x).Sin : BigReal.SinCos(x).Sin,
        ScalarOp.Cosine => BigReal.SinCos(Math.Abs(x)).Cos,
        ScalarOp.Tangent => (x < 0 ? -1 : 1) * (BigReal.SinCos(Math.Abs(x)).Sin / BigReal.SinCos(Math.Abs(x)).Cos),
        ScalarOp.HyperbolicTangent => (BigReal.Exp((BigReal)x * 2) - BigReal.One) / (BigReal.Exp((BigReal)x * 2) + BigReal.One),
        ScalarOp.Logistic => BigReal.One / (BigReal.One + BigReal.Exp(-(BigReal)x)),
        ScalarOp.ErrorFunction => Math.Abs(x) > 12 ? (x > 0 ? 1 : -1) : BigReal.Erf(x),
        ScalarOp.CubeRoot => x < 0 ? -BigReal.Root(-x, 3) : BigReal.Root(x, 3),
        ScalarOp.ReciprocalSquareRoot when x > 0 => BigReal.One / BigReal.Sqrt(x),
        ScalarOp.Power when x > 0 => BigReal.Exp(BigReal.Log(x) * y),
        ScalarOp.ArcTangent2 when y > 0 => x < 0 ? -BigReal.Atan(-(BigReal)x / y) : BigReal.Atan((BigReal)x / y),
        _ => null,
    };

    // (u - 1) x / log u with u = e^x rounded: the errors cancel (Kahan).
    private static double ExpMinusOne(double x)
    {
        double u = Math.Exp(x);
        return x == 0 || u == 1 ? x : u is 0 or double.PositiveInfinity || u - 1 == -1 ? u - 1 : (u - 1) * (x / Math.Log(u));
    }

    private static double LogPlusOne(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : double.IsPositiveInfinity(u) ? u : u < 0 ? double.NaN : x * (Math.Log(u) / (u - 1));
    }

    // The positive series while it is short, then 1: erfc(6) is 2e-17.
    private static double Erf(double x)
    {
        if (!(Math.Abs(x) < 6))
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }
        double square = x * x;
        double term = x;
        double sum = x;
        for (int i = 1; ; i++)
        {
            term *= 2 * square / ((2 * i) + 1);
            if (sum + term == sum)
            {
                break;
            }
            sum += term;
        }
        return sum * Math.Exp(-square) * (2 / Math.Sqrt(Math.PI));
    }
}
