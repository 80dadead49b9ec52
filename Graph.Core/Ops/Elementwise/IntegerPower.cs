namespace Graphene;

/// <summary>The element form of <c>power</c> on integers: square and multiply over the bits of the exponent.</summary>
internal static class IntegerPower
{
    public static ScalarExpr Element(ExprFactory f, ScalarExpr x, ScalarExpr y)
    {
        DType type = x.DType;
        ScalarExpr one = f.Constant(type, 1);
        ScalarExpr[] power = f.Loop([type.SizeInBits()], [one, x], (bit, carried) =>
        {
            ScalarExpr amount = f.Convert(bit[0], type);
            ScalarExpr isSet = f.NotEqual(f.And(f.Call(ScalarOp.ShiftRightLogical, y, amount), one), f.Constant(type, 0));
            ScalarExpr product = f.Select(isSet, f.Multiply(carried[0], carried[1]), carried[0]);
            return [product, f.Multiply(carried[1], carried[1])];
        });
        if (!type.IsSignedInteger())
        {
            return power[0];
        }
        // x^-n is 1/x^n, truncated: only 1 and -1 leave something, and (-1)^-n = (-1)^n has the parity of n.
        ScalarExpr isUnit = f.Equal(f.Call(ScalarOp.Abs, x), one);
        ScalarExpr isNegative = f.Less(y, f.Constant(type, 0));
        return f.Select(f.And(isNegative, f.Call(ScalarOp.Not, isUnit)), f.Constant(type, 0), power[0]);
    }
}
