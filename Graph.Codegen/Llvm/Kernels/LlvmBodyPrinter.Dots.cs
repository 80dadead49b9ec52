namespace Graphene.Codegen.Llvm;

/// <content>
/// Sums of products of narrow elements: one instruction where the target has it, else the definition,
/// element by element.
/// </content>
internal abstract partial class LlvmBodyPrinter
{
    private LlvmValue Dot(LlvmValue sum, LlvmValue left, LlvmValue right)
    {
        DType element = left.Type.Element;
        return DotInstruction(sum, left, right) ?? (element == DType.BF16 ? BrainDot(sum, left, right) : IntegerDot(sum, left, right));
    }

    private LlvmValue? DotInstruction(LlvmValue sum, LlvmValue left, LlvmValue right)
    {
        int bits = 32 * sum.Type.Lanes;
        return target.Architecture switch
        {
            LlvmArchitecture.X64 => X64Dot(sum, left, right, bits),
            LlvmArchitecture.Arm64 when bits == 128 => Arm64Dot(sum, left, right),
            _ => null,
        };
    }

    private LlvmValue? X64Dot(LlvmValue sum, LlvmValue left, LlvmValue right, int bits)
    {
        bool hasSize = bits == 512 ? target.HasFeature("avx512f") && target.HasFeature("avx512bw")
            : bits == 128 || (bits == 256 && (target.HasFeature("avx512vl") || target.HasFeature("avx2")));
        bool hasUpper = bits == 512 || target.HasFeature("avx512vl");
        if (!hasSize)
        {
            return null;
        }
        (DType l, DType r) = (left.Type.Element, right.Type.Element);
        if (l == DType.BF16)
        {
            return hasUpper && target.HasFeature("avx512bf16") ? BrainInstruction(sum, left, right, bits) : null;
        }
        if (l == DType.I16)
        {
            string name = bits switch { 512 => "avx512.pmaddw.d.512", 256 => "avx2.pmadd.wd", _ => "sse2.pmadd.wd" };
            return Binary("add", Out.Add(sum.Type, Call(sum.Type, "x86." + name, left, right)), sum);
        }
        if (l != r)
        {
            bool isThere = (hasUpper && target.HasFeature("avx512vnni")) || (bits <= 256 && target.HasFeature("avxvnni"));
            (LlvmValue unsigned, LlvmValue signed) = l == DType.U8 ? (left, right) : (right, left);
            return isThere ? QuadInstruction($"x86.avx512.vpdpbusd.{bits}", sum, unsigned, signed) : null;
        }
        string same = l == DType.I8 ? "vpdpbssd" : "vpdpbuud";
        return bits <= 256 && target.HasFeature("avxvnniint8")
            ? QuadInstruction($"x86.avx2.{same}.{bits}", sum, left, right)
            : null;
    }

    private LlvmValue? Arm64Dot(LlvmValue sum, LlvmValue left, LlvmValue right)
    {
        (DType l, DType r) = (left.Type.Element, right.Type.Element);
        if (KDot.Group(l) != 4)
        {
            return null;
        }
        string name = l != r ? "usdot" : l == DType.I8 ? "sdot" : "udot";
        (left, right) = l == DType.I8 && r == DType.U8 ? (right, left) : (left, right);
        return target.HasFeature(l == r ? "dotprod" : "i8mm")
            ? Out.Add(sum.Type, Call(sum.Type, $"aarch64.neon.{name}.v4i32.v16i8", sum, left, right))
            : null;
    }

    private LlvmValue BrainInstruction(LlvmValue sum, LlvmValue left, LlvmValue right, int bits)
    {
        string brain = LlvmTypes.Vector("bfloat", left.Type.Lanes);
        string a = Out.Add(left.Type, $"bitcast {left} to {brain}").Name;
        string b = Out.Add(right.Type, $"bitcast {right} to {brain}").Name;
        string type = LlvmTypes.Register(sum.Type);
        return Out.Add(sum.Type, $"call {type} @llvm.x86.avx512bf16.dpbf16ps.{bits}({sum}, {brain} {a}, {brain} {b})");
    }

    // These take four bytes for one i32.
    private LlvmValue QuadInstruction(string name, LlvmValue sum, LlvmValue left, LlvmValue right)
    {
        string type = LlvmTypes.Register(sum.Type);
        string a = Out.Add(sum.Type, $"bitcast {left} to {type}").Name;
        string b = Out.Add(sum.Type, $"bitcast {right} to {type}").Name;
        return Out.Add(sum.Type, $"call {type} @llvm.{name}({sum}, {type} {a}, {type} {b})");
    }

    private static string Call(KType type, string name, params LlvmValue[] arguments) =>
        $"call {LlvmTypes.Register(type)} @llvm.{name}({string.Join(", ", arguments)})";

    private LlvmValue IntegerDot(LlvmValue sum, LlvmValue left, LlvmValue right)
    {
        int group = KDot.Group(left.Type.Element);
        for (int i = 0; i < group; i++)
        {
            LlvmValue a = Convert(Every(left, group, i), DType.I32);
            LlvmValue b = Convert(Every(right, group, i), DType.I32);
            sum = Binary("add", sum, Binary("mul", a, b));
        }
        return sum;
    }

    private LlvmValue BrainDot(LlvmValue sum, LlvmValue left, LlvmValue right)
    {
        for (int i = 1; i >= 0; i--)
        {
            LlvmValue a = WithoutDenormals(Convert(Every(left, 2, i), DType.F32));
            LlvmValue b = WithoutDenormals(Convert(Every(right, 2, i), DType.F32));
            sum = WithoutDenormals(sum);
            LlvmValue rounded = FusedSingle(a, b, sum);
            // Exact wherever the comparison is close, see DotArithmetic.
            LlvmValue product = Binary("fmul", Convert(a, DType.F64), Convert(b, DType.F64));
            LlvmValue exact = Intrinsic("fabs", Binary("fadd", product, Convert(sum, DType.F64)));
            LlvmValue isTiny = CompareReals("olt", exact, Real(exact.Type, Math.ScaleB(1, -126) - Math.ScaleB(1, -151)));
            sum = Select(isTiny, Intrinsic("copysign", Real(sum.Type, 0), rounded), rounded);
        }
        return sum;
    }

    private LlvmValue WithoutDenormals(LlvmValue x)
    {
        LlvmValue isSmall = CompareReals("olt", Intrinsic("fabs", x), Real(x.Type, Math.ScaleB(1, -126)));
        return Select(isSmall, Intrinsic("copysign", Real(x.Type, 0), x), x);
    }

    // Elements first, first + step, first + 2 step ...
    private LlvmValue Every(LlvmValue value, int step, int first) =>
        Shuffle(value, Enumerable.Range(0, value.Type.Lanes / step).Select(i => (step * i) + first).ToValueList());
}
