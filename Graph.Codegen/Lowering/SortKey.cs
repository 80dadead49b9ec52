namespace Graphene.Codegen;

/// <summary>
/// Numbers as integers of 32 or 64 bits that stand in an order in which larger is better: equal numbers, zeros of both signs among
/// them, become equal integers, and NaN one beyond all numbers.
/// </summary>
/// <param name="element">The type of the numbers.</param>
/// <param name="descending">Whether large numbers are better; else small ones. NaN counts as large.</param>
internal sealed class SortKey(DType element, bool descending)
{
    /// <summary>The type of the integers.</summary>
    public DType Type { get; } = element.SizeInBits() > 32 ? DType.I64 : DType.I32;

    /// <summary>At least as good as every other.</summary>
    public Scalar Best => Scalar.Highest(Type);

    /// <summary>No better than any other.</summary>
    public Scalar Worst => Scalar.Lowest(Type);

    /// <summary>The integers of some numbers.</summary>
    /// <param name="b">Names what is used twice.</param>
    /// <param name="x">The numbers.</param>
    public KExpr Of(KBuilder b, KExpr x)
    {
        if (element.IsFloating())
        {
            return OfReal(b, x);
        }
        int bits = element.SizeInBits();
        KExpr key = !element.IsUnsignedInteger() || bits < 32
            ? element == Type ? x : new KConvert(x, Type)
            : KBuilder.Call(ScalarOp.Xor, new KBitcast(x, Type), new KConstant(Worst, 1)); // the sign bit the other way round
        return b.Let("key", InOrder(key));
    }

    // Bits of numbers are in order as they are, from 0 up; below, the other way round.
    private KExpr OfReal(KBuilder b, KExpr x)
    {
        DType wide = Type == DType.I32 ? DType.F32 : DType.F64;
        KExpr number = b.Let("number", element == wide ? x : new KConvert(x, wide));
        KExpr positiveZero = KBuilder.Add(number, new KConstant(Scalar.Zero(wide), 1)); // -0.0 + 0.0 = 0.0
        KExpr bits = b.Let("bits", new KBitcast(positiveZero, Type));
        var sign = new KConstant(Scalar.FromInteger(Type, Type.SizeInBits() - 1), 1);
        KExpr turned = KBuilder.Call(
            ScalarOp.And, KBuilder.Call(ScalarOp.ShiftRightArithmetic, bits, sign), new KConstant(Best, 1));
        KExpr key = InOrder(KBuilder.Call(ScalarOp.Xor, bits, turned));
        var isNaN = KBuilder.Call(ScalarOp.NotEqual, number, number);
        return b.Let("key", new KSelect(isNaN, new KConstant(descending ? Best : Worst, x.Type.Lanes), key));
    }

    private KExpr InOrder(KExpr key) => descending ? key : KBuilder.Call(ScalarOp.Not, key);
}
