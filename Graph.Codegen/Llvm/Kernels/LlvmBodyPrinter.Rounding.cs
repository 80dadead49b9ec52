namespace Graphene.Codegen.Llvm;

/// <content>
/// Rounding to integers and remainders where a target has no instruction: LLVM would call the C library, element by element, and code
/// would not stand alone.
/// </content>
internal abstract partial class LlvmBodyPrinter
{
    private bool HasRounding => target.HasRounding;

    // WebAssembly rounds to even only; x86 has neither, and LLVM knows a short way.
    private bool HasRoundingAway => HasRounding && target.Architecture != LlvmArchitecture.Wasm32;

    // Beside 2^23 (2^52) there is no room for a fraction: the sum rounds to the nearest even integer. Larger ones and NaN stay.
    private LlvmValue NearestEvenOf(LlvmValue x)
    {
        LlvmValue magnitude = Intrinsic("fabs", x);
        return OfSmall(x, magnitude, NearestEvenOfMagnitude(magnitude));
    }

    private LlvmValue FloorOf(LlvmValue x)
    {
        LlvmValue nearest = NearestEvenOf(x);
        LlvmValue lower = Binary("fsub", nearest, OneWhere(CompareReals("ogt", nearest, x), x.Type));
        return Intrinsic("copysign", lower, x);
    }

    private LlvmValue CeilOf(LlvmValue x)
    {
        LlvmValue nearest = NearestEvenOf(x);
        LlvmValue higher = Binary("fadd", nearest, OneWhere(CompareReals("olt", nearest, x), x.Type));
        return Intrinsic("copysign", higher, x);
    }

    private LlvmValue TruncateOf(LlvmValue x)
    {
        if (HasRounding)
        {
            return Intrinsic("trunc", x);
        }
        LlvmValue magnitude = Intrinsic("fabs", x);
        LlvmValue nearest = NearestEvenOfMagnitude(magnitude);
        return OfSmall(x, magnitude, Binary("fsub", nearest, OneWhere(CompareReals("ogt", nearest, magnitude), x.Type)));
    }

    // The fraction is exact, so that ties are seen as ties, and 0.49999997 is none.
    private LlvmValue NearestAwayOf(LlvmValue x)
    {
        LlvmValue whole = TruncateOf(x);
        LlvmValue fraction = Intrinsic("fabs", Binary("fsub", x, whole));
        LlvmValue step = OneWhere(CompareReals("oge", fraction, Real(x.Type, 0.5)), x.Type);
        LlvmValue magnitude = Binary("fadd", Intrinsic("fabs", whole), step);
        return Intrinsic("copysign", magnitude, x);
    }

    private LlvmValue NearestEvenOfMagnitude(LlvmValue magnitude)
    {
        LlvmValue shift = NoFractionFrom(magnitude.Type);
        return Binary("fsub", Binary("fadd", magnitude, shift), shift);
    }

    private LlvmValue OfSmall(LlvmValue x, LlvmValue magnitude, LlvmValue rounded) => Select(
        CompareReals("olt", magnitude, NoFractionFrom(x.Type)), Intrinsic("copysign", rounded, x), x);

    private static LlvmValue NoFractionFrom(KType type) => Real(type, type.Element == DType.F32 ? 8388608.0 : 4503599627370496.0);

    private LlvmValue OneWhere(LlvmValue condition, KType type) => Select(condition, Real(type, 1), Real(type, 0));

    // A function of the module, lane by lane: the number of its rounds depends on the operands.
    private LlvmValue RemainderOf(LlvmValue a, LlvmValue b)
    {
        KType scalar = a.Type with { Lanes = 1 };
        string call = $"call {LlvmTypes.Register(scalar)} @{LlvmRemainder.Name(scalar.Element)}";
        if (a.Type.IsScalar)
        {
            return Out.Add(scalar, $"{call}({a}, {b})");
        }
        LlvmValue result = new("poison", a.Type);
        for (int lane = 0; lane < a.Type.Lanes; lane++)
        {
            result = Insert(result, Out.Add(scalar, $"{call}({Extract(a, lane)}, {Extract(b, lane)})"), lane);
        }
        return result;
    }

    // a * b + c in f32, rounded once, through f64: the product is exact there, and a sum rounded to odd rounds correctly again.
    private LlvmValue FusedSingle(LlvmValue a, LlvmValue b, LlvmValue c)
    {
        if (target.HasFma)
        {
            return Intrinsic("fma", a, b.ToString(), c.ToString());
        }
        LlvmValue product = Binary("fmul", Cast("fpext", a, DType.F64), Cast("fpext", b, DType.F64));
        LlvmValue addend = Cast("fpext", c, DType.F64);
        LlvmValue sum = Binary("fadd", product, addend);

        // What the sum left out (Knuth's two-sum); its sign against the sum's tells which neighbour is the odd one.
        LlvmValue ofAddend = Binary("fsub", sum, product);
        LlvmValue ofProduct = Binary("fsub", sum, ofAddend);
        LlvmValue lost = Binary("fadd", Binary("fsub", product, ofProduct), Binary("fsub", addend, ofAddend));
        LlvmValue bits = ToBits(sum);
        KType type = bits.Type;
        LlvmValue isEven = Compare("eq", Binary("and", bits, Number(type, 1)), Number(type, 0));
        LlvmValue isInexact = And(CompareReals("one", lost, Real(lost.Type, 0)), isEven);
        LlvmValue isAway = Compare("sge", Binary("xor", ToBits(lost), bits), Number(type, 0));
        LlvmValue odd = Binary("add", bits, Select(isAway, Number(type, 1), Number(type, -1)));
        return Cast("fptrunc", Bitcast(Select(isInexact, odd, bits), DType.F64), DType.F32);
    }
}
