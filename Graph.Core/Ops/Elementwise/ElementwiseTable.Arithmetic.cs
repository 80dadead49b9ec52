namespace Graphene;

public static partial class ElementwiseTable
{
    /// <summary>Absolute value; the smallest integer stays itself, -0.0 becomes 0.0.</summary>
    public static readonly ElementwiseFn Abs = new("abs", 1)
    {
        Accepts = DTypeSet.SignedInteger | DTypeSet.Floating,
        ReferenceFloating = x => Math.Abs(x[0]),
        ReferenceInteger = (x, _) => Int128.Abs(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Abs, x[0]),
        Partials = (b, y, d) => [b.Multiply(d, b.Sign(y.Operands[0]))],
        GradientNote = "0 at 0",
    };

    /// <summary>Sum; integers wrap; bool: or.</summary>
    public static readonly ElementwiseFn Add = new("add", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => x[0] + x[1],
        ReferenceInteger = (x, type) => type == DType.Bool ? x[0] | x[1] : x[0] + x[1],
        Element = (f, x) => f.Call(x[0].DType == DType.Bool ? ScalarOp.Or : ScalarOp.Add, x[0], x[1]),
        Partials = (_, _, d) => [d, d],
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>
    /// Quotient; integers truncate, a division by zero gives all bits set, the smallest integer divided by -1 itself.
    /// </summary>
    public static readonly ElementwiseFn Divide = new("divide", 2)
    {
        Accepts = DTypeSet.Numeric,
        ReferenceFloating = x => x[0] / x[1],
        ReferenceInteger = (x, _) => x[1] == 0 ? -1 : x[0] / x[1],
        Element = (f, x) => f.Call(ScalarOp.Divide, x[0], x[1]),
        Partials = (b, y, d) =>
        {
            Node quotient = b.Divide(d, y.Operands[1]);
            return [quotient, b.Negate(b.Multiply(quotient, y))];
        },
    };

    /// <summary>The larger; NaN when either is NaN; 0.0 is larger than -0.0; bool: or.</summary>
    public static readonly ElementwiseFn Maximum = new("maximum", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => Math.Max(x[0], x[1]), // .NET's Max propagates NaN and orders the zeros
        ReferenceInteger = (x, _) => Int128.Max(x[0], x[1]),
        Element = (f, x) => f.Call(ScalarOp.Maximum, x[0], x[1]),
        Partials = (b, y, d) => Extremes.Partials(b, y, d, CompareDirection.GT),
        GradientNote = Extremes.Note,
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>The smaller; NaN when either is NaN; -0.0 is smaller than 0.0; bool: and.</summary>
    public static readonly ElementwiseFn Minimum = new("minimum", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => Math.Min(x[0], x[1]),
        ReferenceInteger = (x, _) => Int128.Min(x[0], x[1]),
        Element = (f, x) => f.Call(ScalarOp.Minimum, x[0], x[1]),
        Partials = (b, y, d) => Extremes.Partials(b, y, d, CompareDirection.LT),
        GradientNote = Extremes.Note,
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>Product; integers wrap; bool: and.</summary>
    public static readonly ElementwiseFn Multiply = new("multiply", 2)
    {
        Accepts = DTypeSet.All,
        ReferenceFloating = x => x[0] * x[1],
        ReferenceInteger = (x, _) => unchecked(x[0] * x[1]), // wraps at 128 bits, so the low 64 are right
        Element = (f, x) => f.Call(x[0].DType == DType.Bool ? ScalarOp.And : ScalarOp.Multiply, x[0], x[1]),
        Partials = (b, y, d) => [b.Multiply(d, y.Operands[1]), b.Multiply(d, y.Operands[0])],
        Commutative = true,
        AssociativeOnIntegers = true,
    };

    /// <summary>Negation; integers wrap.</summary>
    public static readonly ElementwiseFn Negate = new("negate", 1)
    {
        Accepts = DTypeSet.Numeric,
        ReferenceFloating = x => -x[0],
        ReferenceInteger = (x, _) => -x[0],
        Element = (f, x) => f.Call(ScalarOp.Negate, x[0]),
        Partials = (b, _, d) => [b.Negate(d)],
    };

    /// <summary>
    /// x to the power y. Floating: the special cases of IEEE 754 pow. Integers: wraps; 0 to the 0 is 1; with a negative
    /// exponent 1 and -1 keep their powers and anything else gives 0.
    /// </summary>
    public static readonly ElementwiseFn Power = new("power", 2)
    {
        Accepts = DTypeSet.Numeric,
        ReferenceFloating = x => Math.Pow(x[0], x[1]),
        ReferenceInteger = PowerOfIntegers,
        Element = (f, x) => x[0].DType.IsFloating() ? f.Call(ScalarOp.Power, x[0], x[1]) : IntegerPower.Element(f, x[0], x[1]),
        Partials = PartialsOfPower,
        GradientNote = "by the exponent 0 where the base is 0, NaN where it is negative",
        MaxUlp = 4,
        IsExpensive = true,
    };

    /// <summary>
    /// Remainder with the sign of the dividend; fmod for floating types; a remainder by integer zero is the dividend.
    /// </summary>
    public static readonly ElementwiseFn Remainder = new("remainder", 2)
    {
        Accepts = DTypeSet.Numeric,
        ReferenceFloating = x => x[0] % x[1],
        ReferenceInteger = (x, _) => x[1] == 0 ? x[0] : x[0] % x[1],
        Element = (f, x) => f.Call(ScalarOp.Remainder, x[0], x[1]),
        Partials = (b, y, d) =>
        {
            Node quotient = b.Divide(y.Operands[0], y.Operands[1]);
            Node whole = b.Multiply(b.Sign(quotient), b.Floor(b.Abs(quotient)));
            return [d, b.Negate(b.Multiply(d, whole))];
        },
        IsExpensive = true,
    };

    /// <summary>-1, 0 or 1; keeps -0.0 and NaN.</summary>
    public static readonly ElementwiseFn Sign = new("sign", 1)
    {
        Accepts = DTypeSet.SignedInteger | DTypeSet.Floating,
        ReferenceFloating = x => x[0] > 0 ? 1 : x[0] < 0 ? -1 : x[0],
        ReferenceInteger = (x, _) => Int128.Sign(x[0]),
        Element = (f, x) => f.Call(ScalarOp.Sign, x[0]),
        GradientNote = PiecewiseConstant,
    };

    /// <summary>Difference; integers wrap.</summary>
    public static readonly ElementwiseFn Subtract = new("subtract", 2)
    {
        Accepts = DTypeSet.Numeric,
        ReferenceFloating = x => x[0] - x[1],
        ReferenceInteger = (x, _) => x[0] - x[1],
        Element = (f, x) => f.Call(ScalarOp.Subtract, x[0], x[1]),
        Partials = (b, _, d) => [d, b.Negate(d)],
    };

    // y * x^(y - 1) is 0 where y is 0, whatever x is; log(x) does not matter where x is 0.
    private static Node?[] PartialsOfPower(GraphBuilder b, Node power, Node d)
    {
        (Node x, Node y) = (power.Operands[0], power.Operands[1]);
        Node zero = b.Like(x, 0);
        Node slope = b.Multiply(y, b.Power(x, b.Subtract(y, b.Like(y, 1))));
        Node byBase = b.Multiply(d, b.Select(b.Equal(y, zero), zero, slope));
        Node isZero = b.Equal(x, zero);
        Node log = b.Select(isZero, zero, b.Log(b.Select(isZero, b.Like(x, 1), x)));
        return [byBase, b.Multiply(d, b.Multiply(log, power))];
    }

    private static Int128 PowerOfIntegers(Int128[] x, DType type)
    {
        if (x[1] < 0)
        {
            return x[0] == 1 || (x[0] == -1 && x[1] % 2 == 0) ? 1 : x[0] == -1 ? -1 : 0;
        }
        var modulus = System.Numerics.BigInteger.One << type.SizeInBits();
        return (Int128)System.Numerics.BigInteger.ModPow(x[0], x[1], modulus);
    }
}

/// <summary>Builds arithmetic.</summary>
public static partial class ElementwiseBuilder
{
    /// <summary>Absolute value of a signed or floating tensor; an unsigned one is its own.</summary>
    public static Node Abs(this GraphBuilder b, Node x) =>
        x.DType.IsUnsignedInteger() ? x : b.Elementwise(ElementwiseTable.Abs, x);

    /// <summary>Sum of two tensors of one type.</summary>
    public static Node Add(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Add, x, y);

    /// <summary>Quotient of two tensors of one type; integers truncate.</summary>
    public static Node Divide(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Divide, x, y);

    /// <summary>The larger of two tensors of one type, element by element.</summary>
    public static Node Maximum(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Maximum, x, y);

    /// <summary>The smaller of two tensors of one type, element by element.</summary>
    public static Node Minimum(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Minimum, x, y);

    /// <summary>Product of two tensors of one type.</summary>
    public static Node Multiply(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Multiply, x, y);

    /// <summary>Negation.</summary>
    public static Node Negate(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Negate, x);

    /// <summary>x to the power y, two tensors of one type.</summary>
    public static Node Power(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Power, x, y);

    /// <summary>Remainder with the sign of the dividend.</summary>
    public static Node Remainder(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Remainder, x, y);

    /// <summary>-1, 0 or 1 with the sign of a signed or floating tensor's elements.</summary>
    public static Node Sign(this GraphBuilder b, Node x) => b.Elementwise(ElementwiseTable.Sign, x);

    /// <summary>Difference of two tensors of one type.</summary>
    public static Node Subtract(this GraphBuilder b, Node x, Node y) => b.Elementwise(ElementwiseTable.Subtract, x, y);
}
