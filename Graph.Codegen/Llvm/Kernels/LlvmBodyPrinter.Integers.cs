namespace Graphene.Codegen.Llvm;

/// <content>Instructions on integers and bools.</content>
internal abstract partial class LlvmBodyPrinter
{
    /// <summary>An instruction on integers.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="x">The operands, of one type.</param>
    /// <param name="arguments">Their expressions, which may be constants.</param>
    protected LlvmValue CallInteger(ScalarOp op, LlvmValue[] x, ValueList<KExpr> arguments)
    {
        bool signed = x[0].Type.Element.IsSignedInteger();
        return op switch
        {
            ScalarOp.Add => Binary("add", x[0], x[1]),
            ScalarOp.Subtract => Binary("sub", x[0], x[1]),
            ScalarOp.Multiply => Binary("mul", x[0], x[1]),
            ScalarOp.FusedMultiplyAdd => Binary("add", Binary("mul", x[0], x[1]), x[2]),
            ScalarOp.Divide => Divide(x[0], x[1], AsConstant(arguments[1])),
            ScalarOp.Remainder => Remainder(x[0], x[1], AsConstant(arguments[1])),
            ScalarOp.Negate => Binary("sub", Number(x[0].Type, 0), x[0]),
            ScalarOp.Abs => signed ? Intrinsic("abs", x[0], "i1 false") : x[0],
            ScalarOp.Sign => SignOf(x[0], signed),
            ScalarOp.Maximum => Intrinsic(signed ? "smax" : "umax", x[0], x[1]),
            ScalarOp.Minimum => Intrinsic(signed ? "smin" : "umin", x[0], x[1]),
            ScalarOp.And => Binary("and", x[0], x[1]),
            ScalarOp.Or => Binary("or", x[0], x[1]),
            ScalarOp.Xor => Binary("xor", x[0], x[1]),
            ScalarOp.Not => Binary("xor", x[0], Number(x[0].Type, -1)),
            ScalarOp.ShiftLeft => Shift("shl", x[0], x[1], AsConstant(arguments[1])),
            ScalarOp.ShiftRightLogical => Shift("lshr", x[0], x[1], AsConstant(arguments[1])),
            ScalarOp.ShiftRightArithmetic => Shift("ashr", x[0], x[1], AsConstant(arguments[1])),
            ScalarOp.PopulationCount => Intrinsic("ctpop", x[0]),
            ScalarOp.CountLeadingZeros => Intrinsic("ctlz", x[0], "i1 false"),
            ScalarOp.Equal => Compare("eq", x[0], x[1]),
            ScalarOp.NotEqual => Compare("ne", x[0], x[1]),
            ScalarOp.Less => Compare(signed ? "slt" : "ult", x[0], x[1]),
            ScalarOp.LessOrEqual => Compare(signed ? "sle" : "ule", x[0], x[1]),
            _ => throw Bug($"{op} has no meaning for {x[0].Type}"),
        };
    }

    private LlvmValue CallBool(ScalarOp op, LlvmValue[] x) => op switch
    {
        ScalarOp.And or ScalarOp.Minimum => Binary("and", x[0], x[1]),
        ScalarOp.Or or ScalarOp.Maximum => Binary("or", x[0], x[1]),
        ScalarOp.Xor or ScalarOp.NotEqual => Binary("xor", x[0], x[1]),
        ScalarOp.Not => Binary("xor", x[0], LlvmTypes.Constant(Scalar.FromBool(true), x[0].Type.Lanes)),
        ScalarOp.Equal => Compare("eq", x[0], x[1]),
        ScalarOp.Less => Compare("ult", x[0], x[1]),
        ScalarOp.LessOrEqual => Compare("ule", x[0], x[1]),
        _ => throw Bug($"{op} has no meaning for bool"),
    };

    // LLVM's division is undefined for a zero divisor and on overflow; both get a harmless divisor and their own results.
    private LlvmValue Divide(LlvmValue a, LlvmValue b, Int128? divisor)
    {
        string op = a.Type.Element.IsSignedInteger() ? "sdiv" : "udiv";
        if (divisor is { } d)
        {
            return d == 0 ? Number(a.Type, -1)
                : d == -1 ? Binary("sub", Number(a.Type, 0), a)
                : Binary(op, a, b);
        }
        LlvmValue quotient = Binary(op, a, SafeDivisor(a, b, out LlvmValue isZero));
        return Select(isZero, Number(a.Type, -1), quotient);
    }

    private LlvmValue Remainder(LlvmValue a, LlvmValue b, Int128? divisor)
    {
        string op = a.Type.Element.IsSignedInteger() ? "srem" : "urem";
        if (divisor is { } d)
        {
            return d == 0 ? a : d == -1 ? Number(a.Type, 0) : Binary(op, a, b);
        }
        LlvmValue rest = Binary(op, a, SafeDivisor(a, b, out LlvmValue isZero));
        return Select(isZero, a, rest);
    }

    // Dividing by 1 is right for the smallest value over -1: itself, remainder 0.
    private LlvmValue SafeDivisor(LlvmValue a, LlvmValue b, out LlvmValue isZero)
    {
        KType type = a.Type;
        isZero = Compare("eq", b, Number(type, 0));
        LlvmValue isUnsafe = isZero;
        if (type.Element.IsSignedInteger())
        {
            LlvmValue lowest = LlvmTypes.Constant(Scalar.Lowest(type.Element), type.Lanes);
            LlvmValue overflows = And(Compare("eq", a, lowest), Compare("eq", b, Number(type, -1)));
            isUnsafe = Binary("or", isZero, overflows);
        }
        return Select(isUnsafe, Number(type, 1), b);
    }

    private LlvmValue SignOf(LlvmValue x, bool signed)
    {
        LlvmValue zero = Number(x.Type, 0);
        string type = LlvmTypes.Register(x.Type);
        LlvmValue positive = Out.Add(x.Type, $"zext {Compare(signed ? "sgt" : "ne", x, zero)} to {type}");
        return signed
            ? Binary("add", positive, Out.Add(x.Type, $"sext {Compare("slt", x, zero)} to {type}"))
            : positive;
    }

    // A shift by the width or more is poison in LLVM. The select would not choose it, but LLVM 19 makes a division by zero of a
    // division by such a select (AVX-512, lanes of i64), so the amount is kept in range; scalar shifts do that anyway.
    private LlvmValue Shift(string op, LlvmValue x, LlvmValue amount, Int128? constant)
    {
        int width = x.Type.Element.SizeInBits();
        if (constant >= 0 && constant < width)
        {
            return Binary(op, x, amount);
        }
        if (op == "ashr")
        {
            return Binary(op, x, Intrinsic("umin", amount, Number(x.Type, width - 1)));
        }
        LlvmValue inRange = Compare("ult", amount, Number(x.Type, width));
        LlvmValue safe = Binary("and", amount, Number(x.Type, width - 1));
        return Select(inRange, Binary(op, x, safe), Number(x.Type, 0));
    }

    /// <summary>A comparison of integers.</summary>
    protected LlvmValue Compare(string predicate, LlvmValue a, LlvmValue b) =>
        Out.Add(a.Type with { Element = DType.Bool }, $"icmp {predicate} {a}, {b.Name}");

    /// <summary>An instruction on two operands of a type.</summary>
    protected LlvmValue Binary(string op, LlvmValue a, LlvmValue b) => Out.Add(a.Type, $"{op} {a}, {b.Name}");

    private LlvmValue Intrinsic(string name, LlvmValue a, LlvmValue b) => Intrinsic(name, a, b.ToString());

    private LlvmValue Intrinsic(string name, LlvmValue a, params ReadOnlySpan<string> more)
    {
        string type = LlvmTypes.Register(a.Type);
        string arguments = string.Join(", ", [a.ToString(), .. more]);
        return Out.Add(a.Type, $"call {type} @llvm.{name}.{LlvmTypes.Suffix(a.Type)}({arguments})");
    }

    /// <summary>An integer in every lane.</summary>
    protected static LlvmValue Number(KType type, Int128 value) => LlvmTypes.Integer(type, value);

    private static Int128? AsConstant(KExpr e) => e is KConstant c ? c.Value.AsInteger : null;
}
