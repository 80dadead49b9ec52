namespace Graphene.Codegen;

/// <summary>An expression with operators, so that formulas read as formulas. A number beside one takes its type and lanes.</summary>
/// <param name="Expr">The expression.</param>
/// <param name="HasFma">
/// Whether the machine rounds a multiply-add once. What is computed from a number inherits that, so that formulas need not pass it on.
/// </param>
internal readonly partial record struct KNum(KExpr Expr, bool HasFma)
{
    public KType Type => Expr.Type;

    public static KNum operator +(KNum a, KNum b) => Of(ScalarOp.Add, a, b);

    public static KNum operator +(KNum a, double b) => a + a.Constant(b);

    public static KNum operator -(KNum a, KNum b) => Of(ScalarOp.Subtract, a, b);

    public static KNum operator -(KNum a, double b) => a - a.Constant(b);

    public static KNum operator -(double a, KNum b) => b.Constant(a) - b;

    public static KNum operator -(KNum a) => Of(ScalarOp.Negate, a);

    public static KNum operator *(KNum a, KNum b) => Of(ScalarOp.Multiply, a, b);

    public static KNum operator *(KNum a, double b) => a * a.Constant(b);

    public static KNum operator /(KNum a, KNum b) => Of(ScalarOp.Divide, a, b);

    public static KNum operator /(double a, KNum b) => b.Constant(a) / b;

    public static KNum operator &(KNum a, KNum b) => Of(ScalarOp.And, a, b);

    public static KNum operator &(KNum a, long b) => a & a.Constant(b);

    public static KNum operator |(KNum a, KNum b) => Of(ScalarOp.Or, a, b);

    public static KNum operator |(KNum a, long b) => a | a.Constant(b);

    public static KNum operator ^(KNum a, KNum b) => Of(ScalarOp.Xor, a, b);

    public static KNum operator ^(KNum a, long b) => a ^ a.Constant(b);

    public static KNum operator <<(KNum a, int bits) => Of(ScalarOp.ShiftLeft, a, a.Constant((long)bits));

    public static KNum operator >>(KNum a, int bits) => Of(ScalarOp.ShiftRightArithmetic, a, a.Constant((long)bits));

    public static KNum operator >>>(KNum a, int bits) => Of(ScalarOp.ShiftRightLogical, a, a.Constant((long)bits));

    public static KNum operator <(KNum a, KNum b) => Of(ScalarOp.Less, a, b);

    public static KNum operator >(KNum a, KNum b) => b < a;

    public static KNum operator <=(KNum a, KNum b) => Of(ScalarOp.LessOrEqual, a, b);

    public static KNum operator >=(KNum a, KNum b) => b <= a;

    public static KNum operator <(KNum a, double b) => a < a.Constant(b);

    public static KNum operator >(KNum a, double b) => a > a.Constant(b);

    public static KNum operator <=(KNum a, double b) => a <= a.Constant(b);

    public static KNum operator >=(KNum a, double b) => a >= a.Constant(b);

    /// <summary>value * 2^exponent, rounded once, which <paramref name="product"/> computes in other ways.</summary>
    public static KNum Scale(KNum value, KNum exponent, KNum product) => value.With(new KScale(value.Expr, exponent.Expr, product.Expr));

    /// <summary>c0 + x (c1 + x (c2 + ...)), coefficients lowest first.</summary>
    public static KNum Polynomial(KNum x, ReadOnlySpan<double> coefficients)
    {
        KNum sum = x.Constant(coefficients[^1]);
        for (int i = coefficients.Length - 2; i >= 0; i--)
        {
            sum = Fma(sum, x, coefficients[i]);
        }
        return sum;
    }

    /// <summary>One of eight f32, lane by lane: which, say the lowest three bits of an i32.</summary>
    public static KNum Lookup(ValueList<Scalar> entries, KNum index) => index.With(new KLookup(entries, index.Expr));

    /// <summary>One of two values, lane by lane.</summary>
    public static KNum Select(KNum condition, KNum whenTrue, KNum whenFalse) =>
        whenTrue.With(new KSelect(condition.Expr, whenTrue.Expr, whenFalse.Expr));

    public static KNum Select(KNum condition, double whenTrue, KNum whenFalse) =>
        Select(condition, whenFalse.Constant(whenTrue), whenFalse);

    public static KNum Select(KNum condition, KNum whenTrue, double whenFalse) =>
        Select(condition, whenTrue, whenTrue.Constant(whenFalse));

    /// <summary>As <see cref="Select(KNum, KNum, KNum)"/>, for a true side that is dear and seldom needed.</summary>
    public static KNum SelectRarely(KNum condition, KNum whenTrue, KNum whenFalse) =>
        whenTrue.With(new KSelect(condition.Expr, whenTrue.Expr, whenFalse.Expr, IsRare: true));

    /// <summary>The smaller of this and a number; NaN stays NaN.</summary>
    public KNum AtMost(double bound) => Of(ScalarOp.Minimum, Constant(bound), this);

    /// <summary>The larger of this and a number; NaN stays NaN.</summary>
    public KNum AtLeast(double bound) => Of(ScalarOp.Maximum, Constant(bound), this);

    public KNum Abs() => Of(ScalarOp.Abs, this);

    /// <summary>A number that is not negative with the sign of another, also of a zero.</summary>
    public KNum WithSignOf(KNum x)
    {
        RealFormat f = RealFormat.Of(x);
        return (As(f.Integer) | (x.As(f.Integer) & f.SignBit)).As(f.Real);
    }

    public KNum SquareRoot() => Of(ScalarOp.SquareRoot, this);

    public KNum Floor() => Of(ScalarOp.Floor, this);

    public KNum IsEqual(KNum other) => Of(ScalarOp.Equal, this, other);

    public KNum IsEqual(double other) => IsEqual(Constant(other));

    public KNum IsNotEqual(KNum other) => Of(ScalarOp.NotEqual, this, other);

    public KNum IsNotEqual(double other) => IsNotEqual(Constant(other));

    public KNum Not() => Of(ScalarOp.Not, this);

    /// <summary>Whether exactly one of two conditions holds.</summary>
    public static KNum Differ(KNum a, KNum b) => Of(ScalarOp.Xor, a, b);

    /// <summary>Shifted by an amount of its own in every lane.</summary>
    public KNum ShiftLeft(KNum bits) => Of(ScalarOp.ShiftLeft, this, bits);

    /// <summary>Shifted by an amount of its own in every lane, filling with zeros.</summary>
    public KNum ShiftRight(KNum bits) => Of(ScalarOp.ShiftRightLogical, this, bits);

    /// <summary>The same bits as another type.</summary>
    public KNum As(DType type) => With(new KBitcast(Expr, type));

    /// <summary>The same value as another type.</summary>
    public KNum To(DType type) => Type.Element == type ? this : With(new KConvert(Expr, type));

    /// <summary>A number of this type, in every lane.</summary>
    public KNum Constant(double value) => With(new KConstant(Scalar.FromNumber(Type.Element, value), Type.Lanes));

    /// <summary>An integer of this type, wrapped, in every lane.</summary>
    public KNum Constant(long value) => With(new KConstant(Scalar.FromInteger(Type.Element, value), Type.Lanes));

    private static KNum Of(ScalarOp op, params KNum[] arguments) =>
        arguments[0].With(KBuilder.Call(op, Array.ConvertAll(arguments, a => a.Expr)));

    private KNum With(KExpr expr) => new(expr, HasFma);
}
