namespace Graphene.Codegen.Aot;

/// <summary>
/// The functions that LLVM calls on 32-bit ARM for what it has no instruction: division, and conversions of 64-bit
/// integers. Compilers bring them in a library; code that stands alone brings those that it calls.
/// </summary>
/// <remarks>
/// Source: Run-time ABI for the Arm Architecture (RTABI32), 5.1. Weak and hidden, so that objects with the same ones can be linked, and the
/// compiler's own are as good. Arguments and results are in integer registers, also where floating-point ones pass others.
/// </remarks>
internal static class ArmRuntime
{
    private const string Unsigned = "__aeabi_uldivmod";
    private const string Linkage = "define weak_odr hidden arm_aapcscc";

    // Those that they call are before them.
    private static readonly (string Symbol, string[] Needs, string Ir)[] Functions =
    [
        // One bit of the quotient at a time, beginning where the divisor's first bit is under the dividend's.
        (Unsigned, [], $$"""
            declare i64 @llvm.ctlz.i64(i64, i1)
            {{Linkage}} { i64, i64 } @{{Unsigned}}(i64 %n, i64 %d) nounwind noinline {
            entry:
              %below = icmp ult i64 %n, %d
              %zero = icmp eq i64 %d, 0
              %none = or i1 %below, %zero
              br i1 %none, label %small, label %begin
            small:
              %rest = insertvalue { i64, i64 } { i64 0, i64 0 }, i64 %n, 1
              ret { i64, i64 } %rest
            begin:
              %dz = call i64 @llvm.ctlz.i64(i64 %d, i1 false)
              %nz = call i64 @llvm.ctlz.i64(i64 %n, i1 false)
              %shift = sub i64 %dz, %nz
              %start = shl i64 %d, %shift
              br label %round
            round:
              %i = phi i64 [ %shift, %begin ], [ %i_next, %round ]
              %r = phi i64 [ %n, %begin ], [ %r_next, %round ]
              %q = phi i64 [ 0, %begin ], [ %q_next, %round ]
              %t = phi i64 [ %start, %begin ], [ %t_next, %round ]
              %fits = icmp uge i64 %r, %t
              %taken = select i1 %fits, i64 %t, i64 0
              %r_next = sub i64 %r, %taken
              %bit = zext i1 %fits to i64
              %q_twice = shl i64 %q, 1
              %q_next = or i64 %q_twice, %bit
              %t_next = lshr i64 %t, 1
              %i_next = sub i64 %i, 1
              %more = icmp sgt i64 %i, 0
              br i1 %more, label %round, label %done
            done:
              %first = insertvalue { i64, i64 } { i64 0, i64 0 }, i64 %q_next, 0
              %both = insertvalue { i64, i64 } %first, i64 %r_next, 1
              ret { i64, i64 } %both
            }

            """),
        ("__aeabi_ldivmod", [Unsigned], $$"""
            {{Linkage}} { i64, i64 } @__aeabi_ldivmod(i64 %n, i64 %d) nounwind noinline {
              %n_sign = ashr i64 %n, 63
              %d_sign = ashr i64 %d, 63
              %n_flipped = xor i64 %n, %n_sign
              %d_flipped = xor i64 %d, %d_sign
              %n_size = sub i64 %n_flipped, %n_sign
              %d_size = sub i64 %d_flipped, %d_sign
              %all = call arm_aapcscc { i64, i64 } @{{Unsigned}}(i64 %n_size, i64 %d_size)
              %q = extractvalue { i64, i64 } %all, 0
              %r = extractvalue { i64, i64 } %all, 1
              %q_sign = xor i64 %n_sign, %d_sign
              %q_flipped = xor i64 %q, %q_sign
              %r_flipped = xor i64 %r, %n_sign
              %q_signed = sub i64 %q_flipped, %q_sign
              %r_signed = sub i64 %r_flipped, %n_sign
              %first = insertvalue { i64, i64 } { i64 0, i64 0 }, i64 %q_signed, 0
              %both = insertvalue { i64, i64 } %first, i64 %r_signed, 1
              ret { i64, i64 } %both
            }

            """),
        Division("__aeabi_uidiv", "zext", "i32", Unsigned, "%q32", "i32"),
        Division("__aeabi_uidivmod", "zext", "{ i32, i32 }", Unsigned, "%both", "{ i32, i32 }"),
        Division("__aeabi_idiv", "sext", "i32", "__aeabi_ldivmod", "%q32", "i32"),
        Division("__aeabi_idivmod", "sext", "{ i32, i32 }", "__aeabi_ldivmod", "%both", "{ i32, i32 }"),

        // Both halves are exact, and their sum rounds once.
        ToDouble("__aeabi_l2d", "sitofp"),
        ToDouble("__aeabi_ul2d", "uitofp"),

        // Through f64, where more than 53 bits are kept by an odd last one, so that the second rounding is as good as one.
        ToSingle("__aeabi_l2f", "__aeabi_l2d", "9007199254740992", "18014398509481984"),
        ToSingle("__aeabi_ul2f", "__aeabi_ul2d", "0", "9007199254740992"),

        // The high word, and what it leaves.
        ("__aeabi_d2ulz", [], $$"""
            {{Linkage}} i64 @__aeabi_d2ulz(double %x) nounwind noinline {
              %high_part = fmul double %x, 0x3DF0000000000000
              %high = fptoui double %high_part to i32
              %high_back = uitofp i32 %high to double
              %high_value = fmul double %high_back, 0x41F0000000000000
              %low_part = fsub double %x, %high_value
              %low = fptoui double %low_part to i32
              %high_wide = zext i32 %high to i64
              %low_wide = zext i32 %low to i64
              %shifted = shl i64 %high_wide, 32
              %all = or i64 %shifted, %low_wide
              ret i64 %all
            }

            """),
        ("__aeabi_d2lz", ["__aeabi_d2ulz"], $$"""
            declare double @llvm.fabs.f64(double)
            {{Linkage}} i64 @__aeabi_d2lz(double %x) nounwind noinline {
              %size = call double @llvm.fabs.f64(double %x)
              %all = call arm_aapcscc i64 @__aeabi_d2ulz(double %size)
              %is_below = fcmp olt double %x, 0.0
              %minus = sub i64 0, %all
              %signed = select i1 %is_below, i64 %minus, i64 %all
              ret i64 %signed
            }

            """),
        FromSingle("__aeabi_f2lz", "__aeabi_d2lz"),
        FromSingle("__aeabi_f2ulz", "__aeabi_d2ulz"),
    ];

    /// <summary>Those of the functions that are asked for, and what they need; empty when it is none.</summary>
    /// <param name="symbols">What code calls and nobody defines.</param>
    public static (string Ir, IReadOnlyList<string> Symbols) For(IReadOnlyList<string> symbols)
    {
        var wanted = new HashSet<string>(symbols, StringComparer.Ordinal);
        for (int i = Functions.Length - 1; i >= 0; i--)
        {
            if (wanted.Contains(Functions[i].Symbol))
            {
                wanted.UnionWith(Functions[i].Needs);
            }
        }
        (string Symbol, string[] Needs, string Ir)[] taken = [.. Functions.Where(f => wanted.Contains(f.Symbol))];
        return (string.Concat(taken.Select(f => f.Ir)), [.. taken.Select(f => f.Symbol)]);
    }

    private static (string Symbol, string[] Needs, string Ir) Division(
        string symbol, string extend, string result, string by, string value, string type)
    {
        string[] needs = by == Unsigned ? [Unsigned] : [Unsigned, by];
        return (symbol, needs, $$"""
            {{Linkage}} {{result}} @{{symbol}}(i32 %n, i32 %d) nounwind noinline {
              %n_wide = {{extend}} i32 %n to i64
              %d_wide = {{extend}} i32 %d to i64
              %all = call arm_aapcscc { i64, i64 } @{{by}}(i64 %n_wide, i64 %d_wide)
              %q = extractvalue { i64, i64 } %all, 0
              %r = extractvalue { i64, i64 } %all, 1
              %q32 = trunc i64 %q to i32
              %r32 = trunc i64 %r to i32
              %first = insertvalue { i32, i32 } { i32 0, i32 0 }, i32 %q32, 0
              %both = insertvalue { i32, i32 } %first, i32 %r32, 1
              ret {{type}} {{value}}
            }

            """);
    }

    private static (string Symbol, string[] Needs, string Ir) ToDouble(string symbol, string convert) => (symbol, [], $$"""
        {{Linkage}} double @{{symbol}}(i64 %x) nounwind noinline {
          %shifted = lshr i64 %x, 32
          %high = trunc i64 %shifted to i32
          %low = trunc i64 %x to i32
          %high_real = {{convert}} i32 %high to double
          %low_real = uitofp i32 %low to double
          %high_value = fmul double %high_real, 0x41F0000000000000
          %sum = fadd double %high_value, %low_real
          ret double %sum
        }

        """);

    private static (string Symbol, string[] Needs, string Ir) ToSingle(string symbol, string toDouble, string bias, string limit) =>
        (symbol, [toDouble], $$"""
        {{Linkage}} float @{{symbol}}(i64 %x) nounwind noinline {
          %biased = add i64 %x, {{bias}}
          %is_exact = icmp ult i64 %biased, {{limit}}
          %rest = and i64 %x, 2047
          %has_rest = icmp ne i64 %rest, 0
          %odd = select i1 %has_rest, i64 2048, i64 0
          %cut = and i64 %x, -2048
          %sticky = or i64 %cut, %odd
          %value = select i1 %is_exact, i64 %x, i64 %sticky
          %real = call arm_aapcscc double @{{toDouble}}(i64 %value)
          %single = fptrunc double %real to float
          ret float %single
        }

        """);

    private static (string Symbol, string[] Needs, string Ir) FromSingle(string symbol, string fromDouble) =>
        (symbol, ["__aeabi_d2ulz", fromDouble], $$"""
        {{Linkage}} i64 @{{symbol}}(float %x) nounwind noinline {
          %wide = fpext float %x to double
          %all = call arm_aapcscc i64 @{{fromDouble}}(double %wide)
          ret i64 %all
        }

        """);
}
