namespace Graphene.Codegen;

/// <summary>f32 with 10 bits of fraction, as tensor cores multiply it. They ignore the other bits, so kernels round before.</summary>
internal static class TensorFloat32
{
    private const int Dropped = 13;

    /// <summary>Rounds to nearest even; infinities and NaN stay.</summary>
    public static KExpr Round(KBuilder b, KExpr value)
    {
        value = b.Let("operand", value);
        int lanes = value.Type.Lanes;
        KExpr Bits(uint bits) => new KConstant(Scalar.FromInteger(DType.U32, bits), lanes);
        KExpr bits = b.Let("bits", new KBitcast(value, DType.U32));
        KExpr odd = KBuilder.Call(ScalarOp.And, KBuilder.Call(ScalarOp.ShiftRightLogical, bits, Bits(Dropped)), Bits(1));
        KExpr up = KBuilder.Add(KBuilder.Add(bits, Bits((1u << (Dropped - 1)) - 1)), odd);
        KExpr rounded = KBuilder.Call(ScalarOp.And, up, Bits(~((1u << Dropped) - 1)));
        return b.Let("operand", new KSelect(
            KBuilder.Call(ScalarOp.IsFinite, value), new KBitcast(rounded, DType.F32), value));
    }
}
