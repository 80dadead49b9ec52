namespace Graphene.Codegen;

/// <summary>What formulas need to know about f32 or f64.</summary>
/// <param name="Real">The type.</param>
/// <param name="Integer">The signed integer of its width.</param>
/// <param name="FractionBits">Stored bits of the significand.</param>
/// <param name="Bias">What is added to exponents.</param>
internal sealed record RealFormat(DType Real, DType Integer, int FractionBits, int Bias)
{
    public static readonly RealFormat F32 = new(DType.F32, DType.I32, 23, 127);

    public static readonly RealFormat F64 = new(DType.F64, DType.I64, 52, 1023);

    public static RealFormat Of(KNum x) => x.Type.Element == DType.F32 ? F32 : F64;

    public bool IsSingle => this == F32;

    /// <summary>Bits of the whole number.</summary>
    public int Width => IsSingle ? 32 : 64;

    /// <summary>Added to a small number, it leaves the nearest integer in the low bits.</summary>
    public double RoundingShift => IsSingle ? 12582912.0 : 6755399441055744.0;

    /// <summary>The sign bit of <see cref="Integer"/>.</summary>
    public long SignBit => IsSingle ? int.MinValue : long.MinValue;

    /// <summary>The smallest normal number.</summary>
    public double SmallestNormal => IsSingle ? 1.17549435e-38f : 2.2250738585072014e-308;

    /// <summary>One of two lists of coefficients.</summary>
    public ReadOnlySpan<double> Pick(double[] single, double[] twice) => IsSingle ? single : twice;

    /// <summary>One of two numbers.</summary>
    public double Pick(double single, double twice) => IsSingle ? single : twice;
}
