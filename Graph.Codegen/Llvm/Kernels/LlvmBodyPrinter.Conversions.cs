namespace Graphene.Codegen.Llvm;

/// <content>Conversions by value. Whatever has no exact path in one step goes through a wider type rounded to odd.</content>
internal abstract partial class LlvmBodyPrinter
{
    private LlvmValue Convert(LlvmValue x, DType to)
    {
        DType from = x.Type.Element;
        return from == to ? x
            : from is DType.F16 or DType.BF16 ? Convert(from == DType.F16 ? HalfToSingle(x) : BrainToSingle(x), to)
            : to == DType.Bool ? IsNotZero(x)
            : from == DType.Bool ? FromBool(x, to)
            : from.IsInteger() ? FromInteger(x, to)
            : FromReal(x, to);
    }

    private LlvmValue IsNotZero(LlvmValue x) => x.Type.Element.IsFloating()
        ? CompareReals("une", x, Real(x.Type, 0))
        : Compare("ne", x, Number(x.Type, 0));

    private LlvmValue FromBool(LlvmValue x, DType to)
    {
        int lanes = x.Type.Lanes;
        return to.IsInteger()
            ? Cast("zext", x, to)
            : Select(x, LlvmTypes.Constant(Scalar.One(to), lanes), LlvmTypes.Constant(Scalar.Zero(to), lanes));
    }

    private LlvmValue FromInteger(LlvmValue x, DType to)
    {
        DType from = x.Type.Element;
        bool signed = from.IsSignedInteger();
        if (to.IsInteger())
        {
            int difference = to.SizeInBits() - from.SizeInBits();
            return difference == 0 ? Bitcast(x, to)
                : Cast(difference < 0 ? "trunc" : signed ? "sext" : "zext", x, to);
        }
        return to switch
        {
            DType.F32 or DType.F64 => Cast(signed ? "sitofp" : "uitofp", x, to),
            DType.F16 => SingleToHalf(IntegerForHalf(x)),
            _ => IntegerToBrain(x),
        };
    }

    // Beyond 65536 in magnitude, f16 has only infinity; within, f32 is exact.
    private LlvmValue IntegerForHalf(LlvmValue x)
    {
        const int Beyond = 1 << 17;
        KType type = x.Type;
        bool signed = type.Element.IsSignedInteger();
        if (type.Element.SizeInBits() > 16)
        {
            x = Intrinsic(signed ? "smin" : "umin", x, Number(type, Beyond));
            x = signed ? Intrinsic("smax", x, Number(type, -Beyond)) : x;
            x = FromInteger(x, DType.I32);
        }
        return FromInteger(x, DType.F32);
    }

    // f64 is exact up to 53 bits. A larger number loses its last 12 bits first and keeps one that tells whether they were zero.
    private LlvmValue IntegerToBrain(LlvmValue x)
    {
        KType type = x.Type;
        int bits = type.Element.SizeInBits();
        if (bits <= 16)
        {
            return SingleToBrain(FromInteger(x, DType.F32));
        }
        if (bits == 64)
        {
            bool signed = type.Element.IsSignedInteger();
            LlvmValue shifted = signed ? Binary("add", x, Number(type, 1L << 53)) : x;
            LlvmValue isExact = Compare("ult", shifted, Number(type, 1L << (signed ? 54 : 53)));
            LlvmValue lost = Compare("ne", Binary("and", x, Number(type, 0xFFF)), Number(type, 0));
            LlvmValue sticky = Select(lost, Number(type, 0x800), Number(type, 0));
            LlvmValue rounded = Binary("or", Binary("and", x, Number(type, ~0xFFFL)), sticky);
            x = Select(isExact, x, rounded);
        }
        return SingleToBrain(DoubleToOddSingle(FromInteger(x, DType.F64)));
    }

    private LlvmValue FromReal(LlvmValue x, DType to)
    {
        bool isDouble = x.Type.Element == DType.F64;
        return to switch
        {
            DType.F64 => Cast("fpext", x, to),
            DType.F32 => Cast("fptrunc", x, to),
            DType.F16 => SingleToHalf(isDouble ? DoubleToOddSingle(x) : x),
            DType.BF16 => SingleToBrain(isDouble ? DoubleToOddSingle(x) : x),
            _ => Saturate(x, to),
        };
    }

    private LlvmValue Saturate(LlvmValue x, DType to)
    {
        KType type = x.Type with { Element = to };
        if (x.Type.Lanes > 1 && Target.Architecture == LlvmArchitecture.X64)
        {
            return SaturateVector(x, type);
        }
        string name = to.IsSignedInteger() ? "fptosi" : "fptoui";
        string suffix = $"{LlvmTypes.Suffix(type)}.{LlvmTypes.Suffix(x.Type)}";
        return Out.Add(type, $"call {LlvmTypes.Register(type)} @llvm.{name}.sat.{suffix}({x})");
    }

    // The same in vectors: LLVM takes them apart for x86, a conversion and its comparisons for each lane. What is out of range
    // must not meet the plain conversion, whose result is undefined there.
    private LlvmValue SaturateVector(LlvmValue x, KType type)
    {
        DType to = type.Element;
        bool signed = to.IsSignedInteger();
        int bits = to.SizeInBits();
        DType wide = bits < 32 ? DType.I32 : to; // of 32 bits at least, as the instructions are
        double low = signed ? -Math.ScaleB(1, bits - 1) : 0;
        double beyond = Math.ScaleB(1, signed ? bits - 1 : bits);
        LlvmValue lowest = Real(x.Type, low);
        LlvmValue held = Select(CompareReals("ogt", x, lowest), x, lowest); // NaN, too
        LlvmValue result;
        if (bits <= (x.Type.Element == DType.F64 ? 32 : 16))
        {
            LlvmValue highest = Real(x.Type, beyond - 1);
            result = Cast(wide.IsSignedInteger() ? "fptosi" : "fptoui", Select(CompareReals("olt", held, highest), held, highest), wide);
        }
        else
        {
            // The largest integer is no number of the real type, the one after it is.
            LlvmValue isBeyond = CompareReals("oge", held, Real(x.Type, beyond));
            LlvmValue inside = Cast(signed ? "fptosi" : "fptoui", Select(isBeyond, lowest, held), wide);
            result = Select(isBeyond, Number(inside.Type, (Int128)beyond - 1), inside);
        }
        result = signed ? Select(CompareReals("uno", x, x), Number(result.Type, 0), result) : result;
        return wide == to ? result : Cast("trunc", result, to);
    }

    // Rounding to odd in the wider step makes the second rounding correct (Boldo and Melquiond, 2008): towards zero, and the
    // last bit set when anything was lost.
    private LlvmValue DoubleToOddSingle(LlvmValue x)
    {
        LlvmValue nearest = Cast("fptrunc", x, DType.F32);
        LlvmValue back = Cast("fpext", nearest, DType.F64);
        LlvmValue isLarger = CompareReals("ogt", Intrinsic("fabs", back), Intrinsic("fabs", x));
        LlvmValue isInexact = CompareReals("one", back, x);
        LlvmValue bits = Bitcast(nearest, DType.I32);
        string type = LlvmTypes.Register(bits.Type);
        LlvmValue smaller = Binary("add", bits, Out.Add(bits.Type, $"sext {isLarger} to {type}"));
        LlvmValue odd = Binary("or", smaller, Out.Add(bits.Type, $"zext {isInexact} to {type}"));
        return Bitcast(odd, DType.F32);
    }

    private LlvmValue BrainToSingle(LlvmValue x)
    {
        LlvmValue wide = Cast("zext", x, DType.I32);
        return Bitcast(Binary("shl", wide, Number(wide.Type, 16)), DType.F32);
    }

    // Half a unit less one, plus the last kept bit, carries exactly when nearest-even rounds up. A NaN must not carry.
    private LlvmValue SingleToBrain(LlvmValue x)
    {
        LlvmValue bits = Bitcast(x, DType.I32);
        KType type = bits.Type;
        LlvmValue high = Binary("lshr", bits, Number(type, 16));
        LlvmValue last = Binary("and", high, Number(type, 1));
        LlvmValue sum = Binary("add", Binary("add", bits, Number(type, 0x7FFF)), last);
        LlvmValue rounded = Binary("lshr", sum, Number(type, 16));
        LlvmValue quiet = Binary("or", high, Number(type, 0x40));
        LlvmValue chosen = Select(CompareReals("uno", x, x), quiet, rounded);
        return Cast("trunc", chosen, DType.BF16);
    }

    /// <summary>A conversion that is one instruction.</summary>
    protected LlvmValue Cast(string op, LlvmValue x, DType to)
    {
        KType type = x.Type with { Element = to };
        return Out.Add(type, $"{op} {x} to {LlvmTypes.Register(type)}");
    }
}
