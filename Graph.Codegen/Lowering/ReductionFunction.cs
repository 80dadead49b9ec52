namespace Graphene.Codegen;

/// <summary>A reduction whose body is one well-known instruction, so that lanes can start from its identity.</summary>
/// <param name="Op">The instruction.</param>
/// <param name="Identity">Leaves every value as it is, down to the sign of zero.</param>
/// <param name="Result">The type of the reduction; f16 and bf16 accumulate in f32 and round once.</param>
internal sealed record ReductionFunction(ScalarOp Op, Scalar Identity, DType Result)
{
    /// <summary>
    /// For a maximum that may lose a NaN, and that may be either zero of two: one instruction on many processors whose exact one takes five.
    /// </summary>
    public bool IsLoose { get; init; }

    /// <summary>The function of a reduction, or null when its body is anything else.</summary>
    public static ReductionFunction? Of(LoopExpr loop)
    {
        if (loop.Next is not [CallExpr { Arguments: [var left, var right] } call] ||
            !ReferenceEquals(left, loop.Carried[0]) || !ReferenceEquals(right, loop.Elements![0]))
        {
            return null;
        }
        DType type = call.DType;
        DType wide = type is DType.F16 or DType.BF16 ? DType.F32 : type;
        Scalar? identity = call.Op switch
        {
            ScalarOp.Add => wide.IsFloating() ? Scalar.FromDouble(wide, -0.0) : Scalar.Zero(wide),
            ScalarOp.Multiply => Scalar.One(wide),
            ScalarOp.Maximum => Scalar.Lowest(wide),
            ScalarOp.Minimum => Scalar.Highest(wide),
            ScalarOp.Or or ScalarOp.Xor => Scalar.Zero(wide),
            ScalarOp.And => wide == DType.Bool ? Scalar.One(wide) : Scalar.FromInteger(wide, -1),
            _ => null,
        };
        return identity is null ? null : new ReductionFunction(Normalize(call.Op, type), identity.Value, type);
    }

    /// <summary>
    /// Whether a result is the same without some elements that are the value it begins with: the largest is, and a sum that begins with
    /// zero, whose sign it has itself if all else is a zero.
    /// </summary>
    public bool MayLeaveOut(Scalar initial) => Op switch
    {
        ScalarOp.Maximum or ScalarOp.Minimum => true,
        ScalarOp.Add => initial.DType.IsFloating() ? initial.AsDouble == 0 : initial.AsInteger == 0,
        _ => false,
    };

    /// <summary>Two elements, or what came of some, as one.</summary>
    public KExpr Combine(KExpr a, KExpr b) => IsLoose ? new KSelect(KBuilder.Less(a, b), b, a) : KBuilder.Call(Op, a, b);

    /// <summary>An element as it is accumulated.</summary>
    public KExpr Widen(KExpr element) => element.Type.Element == Identity.DType ? element : new KConvert(element, Identity.DType);

    /// <summary>A total as it is returned.</summary>
    public KExpr Round(KExpr total) => total.Type.Element == Result ? total : new KConvert(total, Result);

    private static ScalarOp Normalize(ScalarOp op, DType type) => (op, type) switch
    {
        (ScalarOp.Maximum, DType.Bool) => ScalarOp.Or,
        (ScalarOp.Minimum, DType.Bool) => ScalarOp.And,
        _ => op,
    };
}
