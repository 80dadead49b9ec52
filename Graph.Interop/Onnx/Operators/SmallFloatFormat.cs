namespace Graphene.Interop.Onnx.Operators;

/// <summary>An 8-bit or 4-bit floating format: the value of every code, and how values are rounded to codes.</summary>
/// <remarks>
/// Codes below <see cref="SignBit"/> are the values from 0 up, in order. So the code of a magnitude is the number of places between
/// neighbouring values that it lies beyond, and ties go to the even code.
/// <code>
///   values        0    0.5    1     1.5 ...
///   thresholds      |.25   |.75  |1.25
/// </code>
/// </remarks>
internal sealed class SmallFloatFormat
{
    private SmallFloatFormat(OnnxDataType type, int exponentBits, int mantissaBits, int bias, int largest, int nan, bool hasNegativeZero)
    {
        Type = type;
        SignBit = 1 << (exponentBits + mantissaBits);
        Largest = largest;
        NaN = nan;
        HasNegativeZero = hasNegativeZero;
        Magnitudes = new double[SignBit];
        for (int code = 0; code < SignBit; code++)
        {
            int exponent = code >> mantissaBits;
            double mantissa = (code & ((1 << mantissaBits) - 1)) * Math.ScaleB(1, -mantissaBits);
            Magnitudes[code] = exponent == 0 ? Math.ScaleB(mantissa, 1 - bias) : Math.ScaleB(1 + mantissa, exponent - bias);
        }
    }

    /// <summary>The format's element type.</summary>
    public OnnxDataType Type { get; }

    /// <summary>The sign's place in a code.</summary>
    public int SignBit { get; }

    /// <summary>The code of the largest finite value.</summary>
    public int Largest { get; }

    /// <summary>The code of NaN.</summary>
    public int NaN { get; }

    /// <summary>False when the code of negative zero means NaN.</summary>
    public bool HasNegativeZero { get; }

    /// <summary>The values of the codes without sign, as if none were special.</summary>
    public double[] Magnitudes { get; }

    private static readonly SmallFloatFormat[] Formats =
    [
        new(OnnxDataType.Float8E4M3FN, 4, 3, 7, 0x7e, 0x7f, hasNegativeZero: true),
        new(OnnxDataType.Float8E4M3FNUZ, 4, 3, 8, 0x7f, 0x80, hasNegativeZero: false),
        new(OnnxDataType.Float8E5M2, 5, 2, 15, 0x7b, 0x7e, hasNegativeZero: true),
        new(OnnxDataType.Float8E5M2FNUZ, 5, 2, 16, 0x7f, 0x80, hasNegativeZero: false),
        new(OnnxDataType.Float4E2M1, 2, 1, 1, 7, 8, hasNegativeZero: true),
    ];

    /// <summary>The format of a type, or null when it is not one of these.</summary>
    public static SmallFloatFormat? Find(OnnxDataType type) => Array.Find(Formats, f => f.Type == type);

    /// <summary>The value of every code, 16 or 256 of them.</summary>
    public float[] Values()
    {
        var values = new float[2 * SignBit];
        for (int code = 0; code < SignBit; code++)
        {
            values[code] = code <= Largest ? (float)Magnitudes[code] : Special(code);
            values[code | SignBit] = -values[code];
        }
        if (!HasNegativeZero)
        {
            values[SignBit] = float.NaN;
        }
        return values;
    }

    /// <summary>
    /// Threshold i is the least f32 magnitude that is rounded to a code above i; the last one leads beyond <see cref="Largest"/>,
    /// which is infinity or NaN (or, for the 4-bit format, never asked for).
    /// </summary>
    public float[] Thresholds()
    {
        var thresholds = new float[Largest + 1];
        for (int code = 0; code < thresholds.Length; code++)
        {
            double next = code + 1 < SignBit ? Magnitudes[code + 1] : (2 * Magnitudes[code]) - Magnitudes[code - 1];
            float middle = (float)((Magnitudes[code] + next) / 2);
            // A tie goes to the even code: up from an odd one, down from an even one.
            thresholds[code] = code % 2 == 1 ? middle : MathF.BitIncrement(middle);
        }
        return thresholds;
    }

    // Above the largest value, E5M2 has infinity and then NaNs; the others have NaNs only.
    private float Special(int code) =>
        Type == OnnxDataType.Float8E5M2 && code == Largest + 1 ? float.PositiveInfinity : float.NaN;
}
