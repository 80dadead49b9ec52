namespace Graphene.Codegen;

/// <content>
/// Multiply-adds: those whose second rounding hardly matters, and those that need a product exactly, which machines without fused
/// multiply-add get from halves of the factors.
/// </content>
internal readonly partial record struct KNum
{
    // 2^27 + 1 cuts an f64 into halves of 26 bits, the products of which are exact.
    private const double Splitter = 134217729;

    /// <summary>a * b + c, rounded once where the machine does that, else after each step.</summary>
    public static KNum Fma(KNum a, KNum b, KNum c) => a.HasFma ? Of(ScalarOp.FusedMultiplyAdd, a, b, c) : (a * b) + c;

    public static KNum Fma(KNum a, double b, KNum c) => Fma(a, a.Constant(b), c);

    public static KNum Fma(KNum a, double b, double c) => Fma(a, a.Constant(b), a.Constant(c));

    public static KNum Fma(KNum a, KNum b, double c) => Fma(a, b, a.Constant(c));

    /// <summary>What the rounded product of two f64 left out: a * b - product, which is exact.</summary>
    /// <remarks>
    /// Without fused multiply-add by Dekker's halves (A floating-point technique for extending the available precision, 1971). Factors
    /// from 2^996 on give NaN, and products below 2^-968 something of the size of the smallest normal number.
    /// </remarks>
    public static KNum ProductError(KNum a, KNum b, KNum product)
    {
        if (a.HasFma)
        {
            return Fma(a, b, -product);
        }
        (KNum aHigh, KNum aLow) = a.Halves();
        (KNum bHigh, KNum bLow) = b.Halves();
        KNum error = (aHigh * bHigh) - product;
        error = error + (aHigh * bLow);
        error = error + (aLow * bHigh);
        return error + (aLow * bLow);
    }

    /// <summary>
    /// c - a * b for f64 where c and the product are so near that it is nearly exact; limits as for
    /// <see cref="ProductError"/>.
    /// </summary>
    public static KNum Residual(KNum a, KNum b, KNum c)
    {
        if (a.HasFma)
        {
            return Fma(-a, b, c);
        }
        KNum product = a * b;
        return (c - product) - ProductError(a, b, product);
    }

    private (KNum High, KNum Low) Halves()
    {
        KNum scaled = this * Splitter;
        KNum high = scaled - (scaled - this);
        return (high, this - high);
    }
}
