namespace Graphene.Codegen;

/// <summary>
/// Division of many numbers by one, without the divider: its reciprocal once, and then for each number a product, what the product
/// leaves over, and a correction. The quotients are those of division, bit for bit.
/// </summary>
/// <remarks>
/// With y = 1 / d rounded and q = a y rounded, q + y (a - q d) is rounded to the nearest of a / d (P. Markstein, Computation of
/// elementary functions on the IBM RISC System/6000 processor, 1990, theorem 8.3) as long as nothing leaves the range of normal
/// numbers. Where something might, and for zeros with a sign, the lanes divide; that is tested for each vector and seldom so.
/// </remarks>
internal sealed class RepeatedDivision
{
    // Magnitudes from 2^-60 to 2^60: quotients and remainders stay normal.
    private const long Smallest = (127L - 60) << 23;
    private const long Span = 120L << 23;
    private const long Magnitude = 0x7FFFFFFF;
    private const long NaN = 0x7FC00000;

    private readonly KExpr _divisor;
    private readonly KExpr _reciprocal;
    private readonly KExpr _span;
    private readonly KExpr _zero;

    private RepeatedDivision(KExpr divisor, KExpr reciprocal, KExpr span, KExpr zero)
    {
        _divisor = divisor;
        _reciprocal = reciprocal;
        _span = span;
        _zero = zero;
    }

    /// <summary>
    /// Whether that is right and faster on a machine: the remainder has to be exact, and a divider of 512 bits takes 10 to 16 cycles, of
    /// 256 bits and less 3 to 6.
    /// </summary>
    public static bool Pays(KernelTarget target, DType type) => type == DType.F32 && target.HasFma && target.VectorBits >= 512;

    /// <summary>Computes what depends on the divisor alone.</summary>
    /// <param name="b">The kernel, outside of the loop over dividends.</param>
    /// <param name="divisor">f32, a scalar or a lane for each lane of the dividends.</param>
    public static RepeatedDivision Prepare(KBuilder b, KExpr divisor)
    {
        int lanes = divisor.Type.Lanes;
        KExpr reciprocal = b.Let("reciprocal", KBuilder.Call(ScalarOp.Divide, Real(1), divisor));
        KExpr isModerate = KBuilder.Less(Above(divisor), Bits(Span));

        // With another divisor no dividend is moderate, and none has the bits of a zero: what has those of a NaN stays one.
        KExpr span = b.Let("span", Select(isModerate, Bits(Span), Bits(0), lanes));
        KExpr zero = b.Let("zero", Select(isModerate, Bits(0), Bits(NaN), lanes));
        return new RepeatedDivision(divisor, reciprocal, span, zero);
    }

    /// <summary>The quotient of one vector.</summary>
    /// <param name="b">The kernel.</param>
    /// <param name="dividend">f32 lanes.</param>
    public KExpr Divide(KBuilder b, KExpr dividend)
    {
        KExpr a = b.Let("dividend", dividend);
        KExpr quotient = KBuilder.Multiply(a, _reciprocal);
        KExpr rest = KBuilder.FusedMultiplyAdd(KBuilder.Call(ScalarOp.Negate, quotient), _divisor, a);
        KExpr corrected = KBuilder.FusedMultiplyAdd(rest, _reciprocal, quotient);
        KExpr isOutside = KBuilder.Call(ScalarOp.LessOrEqual, _span, Above(a));
        KExpr isNotZero = KBuilder.Call(ScalarOp.NotEqual, new KBitcast(a, DType.U32), _zero);
        return new KSelect(
            KBuilder.Call(ScalarOp.And, isOutside, isNotZero), KBuilder.Divide(a, _divisor), corrected, IsRare: true);
    }

    // How far the bits of a magnitude lie above those of the smallest moderate one; below it they wrap around.
    private static KExpr Above(KExpr x) => KBuilder.Subtract(
        KBuilder.Call(ScalarOp.And, new KBitcast(x, DType.U32), Bits(Magnitude)), Bits(Smallest));

    private static KSelect Select(KExpr condition, KExpr whenTrue, KExpr whenFalse, int lanes) =>
        new(condition, KBuilder.Broadcast(whenTrue, lanes), KBuilder.Broadcast(whenFalse, lanes));

    private static KConstant Bits(long value) => new(Scalar.FromInteger(DType.U32, value), 1);

    private static KConstant Real(double value) => new(Scalar.FromDouble(DType.F32, value), 1);
}
