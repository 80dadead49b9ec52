namespace Graphene;

/// <summary>Functions in double precision that .NET lacks or computes with cancellation; a few ulp of a double at most.</summary>
internal static class SpecialFunctions
{
    private const double TwoOverSqrtPi = 1.1283791670955126;

    // Kahan: the rounding error of exp(x) cancels in (u - 1) / log(u).
    public static double ExpMinusOne(double x)
    {
        double u = Math.Exp(x);
        if (u == 1)
        {
            return x;
        }
        return u - 1 == -1 ? -1 : double.IsFinite(u) ? (u - 1) * (x / Math.Log(u)) : u;
    }

    // Kahan: the rounding error of 1 + x cancels in log(u) / (u - 1).
    public static double LogPlusOne(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : double.IsInfinity(u) ? Math.Log(u) : Math.Log(u) * (x / (u - 1));
    }

    // The exponential stays below 1, so nothing overflows on the way to a denormal result.
    public static double Logistic(double x)
    {
        double exponential = Math.Exp(-Math.Abs(x));
        return x >= 0 ? 1 / (1 + exponential) : exponential / (1 + exponential);
    }

    public static double Erf(double x)
    {
        double a = Math.Abs(x);
        return !(a < 3) ? double.IsNaN(x) ? x : Math.CopySign(1 - ErfcByFraction(a), x) : ErfBySeries(x);
    }

    // DLMF 7.6.2: erf(x) = 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (1*3*...*(2n+1)); no term is negative for x > 0.
    private static double ErfBySeries(double x)
    {
        double term = x;
        double sum = x;
        for (int n = 1; Math.Abs(term) > Math.Abs(sum) * 1e-18; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }
        return TwoOverSqrtPi * GaussianOf(x) * sum;
    }

    // DLMF 7.9.3: erfc(x) = e^(-x^2) / sqrt(pi) * 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), evaluated from the far end.
    private static double ErfcByFraction(double x)
    {
        if (x > 30)
        {
            return 0; // far below the smallest denormal
        }
        double fraction = x;
        for (int n = 60; n >= 1; n--)
        {
            fraction = x + (n / 2.0 / fraction);
        }
        return GaussianOf(x) * TwoOverSqrtPi / 2 / fraction;
    }

    // e^(-x^2) with the rounding error of the square put back.
    private static double GaussianOf(double x)
    {
        double square = x * x;
        return Math.Exp(-square) * (1 - Math.FusedMultiplyAdd(x, x, -square));
    }
}
