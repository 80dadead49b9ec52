using System.Globalization;

namespace Graphene.Codegen.Llvm;

/// <summary>
/// The remainder of reals (C's fmod) as an LLVM function, so that kernels need no C library. Exact, with the
/// sign of the dividend.
/// </summary>
/// <remarks>
/// |a| = x 2^d and |b| = y in units of the last place of b: the rest of x 2^d divided by y is found from integers of 64 bits, as many
/// doublings at a time as there is room above x.
/// </remarks>
internal static class LlvmRemainder
{
    /// <summary>The name of the function for a type.</summary>
    public static string Name(DType type) => type == DType.F32 ? "graphene.remainder.f32" : "graphene.remainder.f64";

    /// <summary>Its definition, internal to the module.</summary>
    /// <param name="type">f32 or f64.</param>
    /// <param name="attributes">Its attributes; those of the module's kernels unless said otherwise.</param>
    public static string Definition(DType type, string attributes = "#0")
    {
        bool isSingle = type == DType.F32;
        string real = isSingle ? "float" : "double";
        string integer = isSingle ? "i32" : "i64";
        int fraction = isSingle ? 23 : 52;
        long sign = isSingle ? int.MinValue : long.MinValue;
        long magnitude = isSingle ? int.MaxValue : long.MaxValue;
        long infinity = isSingle ? 0xFFL << 23 : 0x7FFL << 52;
        string Wide(string x) => isSingle ? $"zext i32 {x} to i64" : $"add i64 {x}, 0";
        string narrow = isSingle ? "trunc i64 %all to i32" : "add i64 %all, 0";
        return string.Create(CultureInfo.InvariantCulture, $$"""
            define internal {{real}} @{{Name(type)}}({{real}} %a, {{real}} %b) {{attributes}} {
            entry:
              %abits = bitcast {{real}} %a to {{integer}}
              %bbits = bitcast {{real}} %b to {{integer}}
              %sign = and {{integer}} %abits, {{sign}}
              %x = and {{integer}} %abits, {{magnitude}}
              %y = and {{integer}} %bbits, {{magnitude}}
              %by0 = icmp eq {{integer}} %y, 0
              %bynan = icmp ugt {{integer}} %y, {{infinity}}
              %ofinf = icmp uge {{integer}} %x, {{infinity}}
              %bad0 = or i1 %by0, %bynan
              %bad = or i1 %bad0, %ofinf
              br i1 %bad, label %none, label %some
            none:
              ret {{real}} 0x7FF8000000000000
            some:
              %isless = icmp ult {{integer}} %x, %y
              br i1 %isless, label %less, label %more
            less:
              ret {{real}} %a
            more:
              %xw = {{Wide("%x")}}
              %yw = {{Wide("%y")}}
              %ex0 = lshr i64 %xw, {{fraction}}
              %ey0 = lshr i64 %yw, {{fraction}}
              %ex = call i64 @llvm.umax.i64(i64 %ex0, i64 1)
              %ey = call i64 @llvm.umax.i64(i64 %ey0, i64 1)
              %xn = icmp ne i64 %ex0, 0
              %yn = icmp ne i64 %ey0, 0
              %xi = select i1 %xn, i64 {{1L << fraction}}, i64 0
              %yi = select i1 %yn, i64 {{1L << fraction}}, i64 0
              %xf = and i64 %xw, {{(1L << fraction) - 1}}
              %yf = and i64 %yw, {{(1L << fraction) - 1}}
              %mx = or i64 %xf, %xi
              %my = or i64 %yf, %yi
              %d = sub i64 %ex, %ey
              %r0 = urem i64 %mx, %my
              br label %loop
            loop:
              %r = phi i64 [ %r0, %more ], [ %rnext, %round ]
              %left = phi i64 [ %d, %more ], [ %leftnext, %round ]
              %any = icmp ne i64 %left, 0
              %some2 = icmp ne i64 %r, 0
              %goon = and i1 %any, %some2
              br i1 %goon, label %round, label %done
            round:
              %k = call i64 @llvm.umin.i64(i64 %left, i64 {{63 - fraction}})
              %shifted = shl i64 %r, %k
              %rnext = urem i64 %shifted, %my
              %leftnext = sub i64 %left, %k
              br label %loop
            done:
              %is0 = icmp eq i64 %r, 0
              br i1 %is0, label %zero, label %encode
            zero:
              %z = bitcast {{integer}} %sign to {{real}}
              ret {{real}} %z
            encode:
              %lz = call i64 @llvm.ctlz.i64(i64 %r, i1 true)
              %wanted = sub i64 %lz, {{63 - fraction}}
              %room = sub i64 %ey, 1
              %up = call i64 @llvm.umin.i64(i64 %wanted, i64 %room)
              %m = shl i64 %r, %up
              %e = sub i64 %room, %up
              %field = shl i64 %e, {{fraction}}
              %all = add i64 %field, %m
              %bits0 = {{narrow}}
              %bits = or {{integer}} %bits0, %sign
              %result = bitcast {{integer}} %bits to {{real}}
              ret {{real}} %result
            }

            """);
    }
}
