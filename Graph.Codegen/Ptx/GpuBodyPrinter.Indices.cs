using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <content>Indices in 32 bits where they fit: a GPU has no others in hardware.</content>
/// <remarks>
/// A product of 64 bits is four instructions and a quotient dozens. Kernel IR counts in i64; what
/// <see cref="IndexIntervals"/> knows to fit is computed in i32 and extended where it is used, which the address of an
/// access does for nothing:
/// <code>
/// i64 128 t + thread     becomes     i64 extend(i32 128 t + thread), no wrap
/// </code>
/// LLVM drops an extension of which the next operation takes the low half again. A constant is added behind the extension, where it
/// becomes part of an address.
/// </remarks>
internal sealed partial class GpuBodyPrinter
{
    private IndexIntervals? _ranges;

    private IndexIntervals Ranges => _ranges ??= IndexIntervals.In(_kernel!);

    /// <inheritdoc/>
    protected override KType CounterType(KFor loop)
    {
        IndexInterval end = Ranges.Of(loop.End);
        long stride = checked(loop.Step * Math.Max(loop.Unroll, 1));
        bool fits = Ranges.Of(loop.Begin) is { IsNarrow: true, IsCounting: true } && end.IsNarrow && stride <= int.MaxValue
            && new IndexInterval(end.Low, end.High + stride).IsNarrow;
        return fits ? new KType(DType.I32) : KType.Index;
    }

    /// <inheritdoc/>
    protected override LlvmValue Compute(KExpr e) => e switch
    {
        KCall { Arguments: [var a, var b] } call when a.Type.Element == DType.I64 && HasNarrowForm(call) => Narrow(call, a, b),
        _ => base.Compute(e),
    };

    private bool HasNarrowForm(KCall call) => call.Op is ScalarOp.Add or ScalarOp.Subtract or ScalarOp.Multiply or ScalarOp.Divide
            or ScalarOp.Remainder or ScalarOp.Minimum or ScalarOp.Maximum or ScalarOp.And or ScalarOp.Or or ScalarOp.Xor
            or ScalarOp.Equal or ScalarOp.NotEqual or ScalarOp.Less or ScalarOp.LessOrEqual
        && call.Arguments.All(x => Ranges.Of(x).IsNarrow)
        && (call.Type.Element == DType.Bool || Ranges.Of(call).IsNarrow);

    private LlvmValue Narrow(KCall call, KExpr a, KExpr b)
    {
        bool isCounting = Ranges.Of(a).IsCounting && Ranges.Of(b).IsCounting
            && (call.Type.Element == DType.Bool || Ranges.Of(call).IsCounting);
        string wraps = isCounting ? "nuw nsw" : "nsw";
        if (call.Op == ScalarOp.Add && (a is KConstant || b is KConstant))
        {
            return Binary($"add {wraps}", Known(a), Known(b));
        }
        DType type = isCounting ? DType.U32 : DType.I32;
        LlvmValue x = Narrowed(Known(a), type);
        LlvmValue y = Narrowed(Known(b), type);
        LlvmValue result = call.Op switch
        {
            ScalarOp.Add => Binary($"add {wraps}", x, y),
            ScalarOp.Subtract => Binary($"sub {wraps}", x, y),
            ScalarOp.Multiply => Binary($"mul {wraps}", x, y),
            _ => CallInteger(call.Op, [x, y], call.Arguments),
        };
        return call.Type.Element == DType.Bool ? result : Extend(result);
    }

    private LlvmValue Extend(LlvmValue narrow) => Cast(narrow.Type.Element == DType.U32 ? "zext" : "sext", narrow, DType.I64);
}
