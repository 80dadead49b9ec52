namespace Graphene.Codegen;

/// <summary>f32 with 10 bits of fraction.</summary>
internal static class TensorFloat32
{
    private const int Dropped = 13;

    /// <summary>The nearest such number, to even; infinities and NaN stay.</summary>
    public static float Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint up = bits + (1u << (Dropped - 1)) - 1 + ((bits >> Dropped) & 1);
        return float.IsFinite(value) ? BitConverter.UInt32BitsToSingle(up & ~((1u << Dropped) - 1)) : value;
    }

    /// <summary>Whether a number is one of them.</summary>
    public static bool Is(float value) => float.IsNaN(value) || (BitConverter.SingleToUInt32Bits(value) & ((1u << Dropped) - 1)) == 0;
}
