namespace Graphene.Codegen;

/// <summary>
/// f32 with 10 bits of fraction, as tensor cores multiply it. They ignore the other bits, so whoever gives
/// them numbers rounds before.
/// </summary>
internal static class TensorFloat32
{
    private const int Dropped = 13;
    private const uint DroppedBits = (1u << Dropped) - 1;
    private const uint JustBelowHalf = (1u << (Dropped - 1)) - 1;

    /// <summary>The nearest such number, to even; infinities and NaN stay.</summary>
    public static float Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint up = bits + JustBelowHalf + ((bits >> Dropped) & 1);
        return float.IsFinite(value) ? BitConverter.UInt32BitsToSingle(up & ~DroppedBits) : value;
    }

    /// <summary>Whether a number is one of them.</summary>
    public static bool Is(float value) => float.IsNaN(value) || (BitConverter.SingleToUInt32Bits(value) & DroppedBits) == 0;

    /// <summary>What a kernel does to round so.</summary>
    public static KExpr Round(KBuilder b, KExpr value)
    {
        value = b.Let("operand", value);
        int lanes = value.Type.Lanes;
        KExpr Bits(uint bits) => new KConstant(Scalar.FromInteger(DType.U32, bits), lanes);
        KExpr bits = b.Let("bits", new KBitcast(value, DType.U32));
        KExpr odd = KBuilder.Call(ScalarOp.And, KBuilder.Call(ScalarOp.ShiftRightLogical, bits, Bits(Dropped)), Bits(1));
        KExpr up = KBuilder.Add(KBuilder.Add(bits, Bits(JustBelowHalf)), odd);
        KExpr rounded = KBuilder.Call(ScalarOp.And, up, Bits(~DroppedBits));
        return b.Let("operand", new KSelect(
            KBuilder.Call(ScalarOp.IsFinite, value), new KBitcast(rounded, DType.F32), value));
    }
}
