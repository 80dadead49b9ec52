namespace Graphene.Codegen.Llvm;

/// <content>Instructions on f32 and f64.</content>
internal abstract partial class LlvmBodyPrinter
{
    private const int ScaleLanes = 16;

    private LlvmValue Call(KCall call)
    {
        LlvmValue[] x = [.. call.Arguments.Select(a => _known[a])];
        DType element = x[0].Type.Element;
        return element == DType.Bool ? CallBool(call.Op, x)
            : element.IsInteger() ? CallInteger(call.Op, x, call.Arguments)
            : element is DType.F32 or DType.F64 ? CallFloating(call.Op, x, call.Arguments)
            : throw Bug($"{call.Op} takes f32 or f64, not {element.Name()}");
    }

    private LlvmValue CallFloating(ScalarOp op, LlvmValue[] x, ValueList<KExpr> arguments) => op switch
    {
        ScalarOp.Add => Binary("fadd", x[0], x[1]),
        ScalarOp.Subtract => Binary("fsub", x[0], x[1]),
        ScalarOp.Multiply => Binary("fmul", x[0], x[1]),
        ScalarOp.Divide => Binary("fdiv", x[0], x[1]),
        ScalarOp.Remainder => RemainderOf(x[0], x[1]),
        ScalarOp.FusedMultiplyAdd => target.HasFma
            ? Intrinsic("fma", x[0], x[1].ToString(), x[2].ToString())
            : Binary("fadd", Binary("fmul", x[0], x[1]), x[2]),
        ScalarOp.Negate => Out.Add(x[0].Type, $"fneg {x[0]}"),
        ScalarOp.Abs => Intrinsic("fabs", x[0]),
        ScalarOp.Sign => SignOf(x[0]),
        ScalarOp.Maximum => Extremum(x, arguments, isMaximum: true),
        ScalarOp.Minimum => Extremum(x, arguments, isMaximum: false),
        ScalarOp.Floor => HasRounding ? Intrinsic("floor", x[0]) : FloorOf(x[0]),
        ScalarOp.Ceil => HasRounding ? Intrinsic("ceil", x[0]) : CeilOf(x[0]),
        ScalarOp.RoundNearestEven => HasRounding ? Intrinsic("roundeven", x[0]) : NearestEvenOf(x[0]),
        ScalarOp.RoundNearestAfz => HasRoundingAway ? Intrinsic("round", x[0]) : NearestAwayOf(x[0]),
        ScalarOp.Truncate => TruncateOf(x[0]),
        ScalarOp.SquareRoot => Intrinsic("sqrt", x[0]),
        ScalarOp.IsFinite => CompareReals("olt", Intrinsic("fabs", x[0]), Real(x[0].Type, double.PositiveInfinity)),
        ScalarOp.Equal => CompareReals("oeq", x[0], x[1]),
        ScalarOp.NotEqual => CompareReals("une", x[0], x[1]),
        ScalarOp.Less => CompareReals("olt", x[0], x[1]),
        ScalarOp.LessOrEqual => CompareReals("ole", x[0], x[1]),
        _ => throw Bug($"{op} has no meaning for {x[0].Type}"),
    };

    // AVX-512 has an instruction for whole vectors of f32; it rounds once, as the product does.
    private bool HasScale(KType type) => type.Element == DType.F32 && type.Lanes % ScaleLanes == 0 && target.VectorBits >= 512
        && target.Architecture == LlvmArchitecture.X64;

    private LlvmValue Scale(LlvmValue value, LlvmValue exponent) => InParts(ScaleLanes, parts => ScaleVector(parts[0], parts[1]), value, exponent);

    // All lanes (-1), rounded as everything is (4).
    private LlvmValue ScaleVector(LlvmValue value, LlvmValue exponent) => Out.Add(
        value.Type,
        $"call <16 x float> @llvm.x86.avx512.mask.scalef.ps.512({value}, {exponent}, <16 x float> zeroinitializer, i16 -1, i32 4)");

    // Zeros (of either sign) and NaN stay themselves.
    private LlvmValue SignOf(LlvmValue x)
    {
        LlvmValue one = Intrinsic("copysign", Real(x.Type, 1), x);
        return Select(CompareReals("one", x, Real(x.Type, 0)), one, x);
    }

    private LlvmValue Extremum(LlvmValue[] x, ValueList<KExpr> arguments, bool isMaximum)
    {
        // WebAssembly's minimum and maximum are exact, and half a dozen instructions on x86; with a constant one is enough there, too.
        bool isExact = target.Architecture is not (LlvmArchitecture.X64 or LlvmArchitecture.Arm32);
        if (isExact && !(target.Architecture == LlvmArchitecture.Wasm32 && !x[0].Type.IsScalar))
        {
            return Intrinsic(isMaximum ? "maximum" : "minimum", x[0], x[1]);
        }
        if (arguments[0] is KConstant { Value: var first } && !double.IsNaN(first.AsDouble))
        {
            return ExtremumWithConstant(first, x[0], x[1], isMaximum);
        }
        if (arguments[1] is KConstant { Value: var second } && !double.IsNaN(second.AsDouble))
        {
            return ExtremumWithConstant(second, x[1], x[0], isMaximum);
        }
        return isExact ? Intrinsic(isMaximum ? "maximum" : "minimum", x[0], x[1])
            : isMaximum ? Maximum(x[0], x[1])
            : Minimum(x[0], x[1]);
    }

    // x86 has c > x ? c : x as one instruction. It gives x when x is NaN and when both are equal, and so is already exact
    // unless c is the zero that must win; for that one, everything not beyond it becomes it.
    private LlvmValue ExtremumWithConstant(Scalar constant, LlvmValue c, LlvmValue x, bool isMaximum)
    {
        bool isWinningZero = constant.AsDouble == 0 && double.IsNegative(constant.AsDouble) != isMaximum;
        return isWinningZero
            ? Select(CompareReals(isMaximum ? "ole" : "oge", x, c), c, x)
            : Select(CompareReals(isMaximum ? "ogt" : "olt", c, x), c, x);
    }

    // The x86 instruction gives its second operand when both are zeros or one is NaN, so two in both orders have what is
    // needed. Minimum: bits joined by or make -0 of mixed zeros, and a NaN of anything beside a NaN.
    private LlvmValue Minimum(LlvmValue a, LlvmValue b)
    {
        LlvmValue ab = ToBits(Select(CompareReals("olt", a, b), a, b));
        LlvmValue ba = ToBits(Select(CompareReals("olt", b, a), b, a));
        return Bitcast(Binary("or", ab, ba), a.Type.Element);
    }

    // Maximum: bits joined by and make +0 of mixed zeros; all bits set where one is NaN is a NaN.
    private LlvmValue Maximum(LlvmValue a, LlvmValue b)
    {
        LlvmValue ab = ToBits(Select(CompareReals("ogt", a, b), a, b));
        LlvmValue ba = ToBits(Select(CompareReals("ogt", b, a), b, a));
        LlvmValue joined = Binary("and", ab, ba);
        LlvmValue isNaN = CompareReals("uno", a, b);
        LlvmValue ones = Out.Add(joined.Type, $"sext {isNaN} to {LlvmTypes.Register(joined.Type)}");
        return Bitcast(Binary("or", joined, ones), a.Type.Element);
    }

    private LlvmValue ToBits(LlvmValue x) => Bitcast(x, x.Type.Element == DType.F32 ? DType.I32 : DType.I64);

    private LlvmValue CompareReals(string predicate, LlvmValue a, LlvmValue b) =>
        Out.Add(a.Type with { Element = DType.Bool }, $"fcmp {predicate} {a}, {b.Name}");

    private static LlvmValue Real(KType type, double value) => LlvmTypes.Floating(type, value);
}
