namespace Graphene.Codegen.Llvm;

/// <content>f16 to f32 and back: by instruction where there is one, else by integer arithmetic.</content>
internal abstract partial class LlvmBodyPrinter
{
    private bool HasHalfConversions => target.Architecture is LlvmArchitecture.Arm64 or LlvmArchitecture.Nvptx64
        || (target.Architecture == LlvmArchitecture.X64 && target.HasFeature("f16c"));

    // LLVM turns a comparison of what was f16 into one of f16, which x86-64 mostly does element by element, converting each again.
    private bool ComparesHalves => target.Architecture != LlvmArchitecture.X64 || target.HasFeature("avx512fp16");

    private LlvmValue HalfToSingle(LlvmValue x)
    {
        if (!HasHalfConversions)
        {
            return HalfToSingleByBits(x);
        }
        string half = LlvmTypes.Vector("half", x.Type.Lanes);
        KType type = x.Type with { Element = DType.F32 };
        LlvmValue bits = Out.Add(x.Type, $"bitcast {x} to {half}");
        LlvmValue single = Out.Add(type, $"fpext {half} {bits.Name} to {LlvmTypes.Register(type)}");
        return ComparesHalves ? single : Intrinsic("arithmetic.fence", single);
    }

    private LlvmValue SingleToHalf(LlvmValue x)
    {
        if (!HasHalfConversions)
        {
            return SingleToHalfByBits(x);
        }
        string half = LlvmTypes.Vector("half", x.Type.Lanes);
        KType type = x.Type with { Element = DType.F16 };
        LlvmValue rounded = Out.Add(type, $"fptrunc {x} to {half}");
        return Out.Add(type, $"bitcast {half} {rounded.Name} to {LlvmTypes.Register(type)}");
    }

    // The magnitude moved to where f32 has it is too small by 2^112; multiplying makes up for it, exactly, denormals included.
    private LlvmValue HalfToSingleByBits(LlvmValue x)
    {
        LlvmValue wide = Cast("zext", x, DType.I32);
        KType type = wide.Type;
        LlvmValue sign = Binary("shl", Binary("and", wide, Number(type, 0x8000)), Number(type, 16));
        LlvmValue magnitude = Binary("shl", Binary("and", wide, Number(type, 0x7FFF)), Number(type, 13));
        LlvmValue single = Bitcast(magnitude, DType.F32);
        LlvmValue scaled = Bitcast(Binary("fmul", single, Real(single.Type, Math.ScaleB(1, 112))), DType.I32);
        LlvmValue isFinite = Compare("ult", magnitude, Number(type, 0x7C00 << 13));
        LlvmValue special = Binary("or", magnitude, Number(type, 0x7F800000));
        LlvmValue isNaN = Compare("ugt", magnitude, Number(type, 0x7C00 << 13));
        LlvmValue quiet = Select(isNaN, Binary("or", special, Number(type, 0x400000)), special);
        return Bitcast(Binary("or", Select(isFinite, scaled, quiet), sign), DType.F32);
    }

    // Normal results are rounded by a carry, as for bf16. Denormal ones by adding a number whose last bit weighs as much as
    // theirs. From 65520 on everything is infinite.
    private LlvmValue SingleToHalfByBits(LlvmValue x)
    {
        LlvmValue all = Bitcast(x, DType.I32);
        KType type = all.Type;
        LlvmValue bits = Binary("and", all, Number(type, 0x7FFFFFFF));
        LlvmValue sign = Binary("and", Binary("lshr", all, Number(type, 16)), Number(type, 0x8000));

        LlvmValue last = Binary("and", Binary("lshr", bits, Number(type, 13)), Number(type, 1));
        LlvmValue sum = Binary("add", Binary("add", bits, Number(type, unchecked((int)0xC8000FFF))), last);
        LlvmValue normal = Binary("lshr", sum, Number(type, 13));

        LlvmValue magnitude = Bitcast(bits, DType.F32);
        LlvmValue aligned = Binary("fadd", magnitude, Real(magnitude.Type, 0.5));
        LlvmValue denormal = Binary("sub", Bitcast(aligned, DType.I32), Number(type, 0x3F000000));

        LlvmValue payload = Binary("and", Binary("lshr", bits, Number(type, 13)), Number(type, 0x1FF));
        LlvmValue isNaN = Compare("ugt", bits, Number(type, 0x7F800000));
        LlvmValue special = Select(isNaN, Binary("or", payload, Number(type, 0x7E00)), Number(type, 0x7C00));

        LlvmValue isSmall = Compare("ult", bits, Number(type, 0x38800000));
        LlvmValue isLarge = Compare("uge", bits, Number(type, 0x477FF000));
        LlvmValue chosen = Select(isLarge, special, Select(isSmall, denormal, normal));
        return Cast("trunc", Binary("or", chosen, sign), DType.F16);
    }
}
