namespace Graphene;

/// <summary>Philox4x32-10 as scalar expressions. Salmon et al., SC 2011, section 4 and table 2.</summary>
internal static class PhiloxElement
{
    private const int Rounds = 10;
    private const uint FirstMultiplier = 0xD2511F53;
    private const uint SecondMultiplier = 0xCD9E8D57;
    private const uint FirstKeyStep = 0x9E3779B9; // the golden ratio
    private const uint SecondKeyStep = 0xBB67AE85; // sqrt(3) - 1

    /// <summary>The four u32 words of the block of a u64 counter under a u64 key.</summary>
    public static ScalarExpr[] Block(ExprFactory f, ScalarExpr key, ScalarExpr counter)
    {
        ScalarExpr[] x = [Low(f, counter), High(f, counter), f.Constant(DType.U32, 0), f.Constant(DType.U32, 0)];
        ScalarExpr firstKey = Low(f, key);
        ScalarExpr secondKey = High(f, key);
        for (int round = 0; round < Rounds; round++)
        {
            ScalarExpr first = Product(f, x[0], FirstMultiplier);
            ScalarExpr second = Product(f, x[2], SecondMultiplier);
            x =
            [
                Xor(f, Xor(f, High(f, second), x[1]), firstKey), Low(f, second),
                Xor(f, Xor(f, High(f, first), x[3]), secondKey), Low(f, first),
            ];
            firstKey = f.Add(firstKey, f.Constant(DType.U32, FirstKeyStep));
            secondKey = f.Add(secondKey, f.Constant(DType.U32, SecondKeyStep));
        }
        return x;
    }

    private static ScalarExpr Product(ExprFactory f, ScalarExpr word, uint multiplier) =>
        f.Multiply(f.Convert(word, DType.U64), f.Constant(DType.U64, multiplier));

    private static ScalarExpr Low(ExprFactory f, ScalarExpr wide) => f.Convert(wide, DType.U32);

    private static ScalarExpr High(ExprFactory f, ScalarExpr wide) =>
        f.Convert(f.Call(ScalarOp.ShiftRightLogical, wide, f.Constant(DType.U64, 32)), DType.U32);

    private static ScalarExpr Xor(ExprFactory f, ScalarExpr x, ScalarExpr y) => f.Call(ScalarOp.Xor, x, y);
}
