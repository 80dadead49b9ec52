namespace Graphene.Tests.Codegen.VectorMath;

/// <summary>Distances in units of the last place of the exact value's binade.</summary>
internal static class UlpMeter
{
    /// <summary>How far an f32 is from an exact value; 0 for matching NaNs, infinity when only one is NaN.</summary>
    public static double Distance(float actual, double exact) =>
        Distance(actual, exact, fractionBits: 23, lowestExponent: -126, limit: 3.402823669209385e38);

    private static double Distance(double actual, double exact, int fractionBits, int lowestExponent, double limit)
    {
        if (double.IsNaN(actual) || double.IsNaN(exact))
        {
            return double.IsNaN(actual) == double.IsNaN(exact) ? 0 : double.PositiveInfinity;
        }
        if (actual == exact)
        {
            return exact != 0 || double.IsNegative(actual) == double.IsNegative(exact) ? 0 : double.PositiveInfinity;
        }

        // Infinity stands where the next number would be.
        actual = Math.Clamp(actual, -limit, limit);
        exact = Math.Clamp(exact, -limit, limit);
        int exponent = exact == 0 ? lowestExponent : Math.Max(Math.ILogB(exact), lowestExponent);
        return Math.Abs(actual - exact) / Math.ScaleB(1, Math.Min(exponent, 127) - fractionBits);
    }
}
