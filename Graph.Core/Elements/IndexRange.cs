namespace Graphene;

/// <summary>The values that an index expression can take.</summary>
public static class IndexRange
{
    private static readonly DimRange Unknown = new(long.MinValue, long.MaxValue);

    /// <summary>A range that surely holds all values of <paramref name="e"/>.</summary>
    public static DimRange Of(ScalarExpr e) => e switch
    {
        ConstantExpr { Value.DType: DType.I64 } c => new((long)c.Value.AsInteger, (long)c.Value.AsInteger),
        DimExpr d => d.Dim.Range,
        IndexVariable v => new(0, Math.Max(0, v.Extent.Range.Max - 1)),
        CallExpr { Op: ScalarOp.Add } c => Of(c.Arguments[0]) + Of(c.Arguments[1]),
        CallExpr { Op: ScalarOp.Multiply } c => Of(c.Arguments[0]) * Of(c.Arguments[1]),
        CallExpr { Op: ScalarOp.Subtract } c => Of(c.Arguments[0]) + (Of(c.Arguments[1]) * new DimRange(-1, -1)),
        CallExpr { Op: ScalarOp.Maximum } c => Max(Of(c.Arguments[0]), Of(c.Arguments[1])),
        CallExpr { Op: ScalarOp.Minimum } c => Min(Of(c.Arguments[0]), Of(c.Arguments[1])),
        CallExpr { Op: ScalarOp.Divide } c when c.Arguments[1].AsConstantIndex is { } y and > 0 => Divide(Of(c.Arguments[0]), y),
        CallExpr { Op: ScalarOp.Remainder } c when c.Arguments[1].AsConstantIndex is { } y and > 0
            => Of(c.Arguments[0]).Min >= 0 ? new(0, Math.Min(y - 1, Of(c.Arguments[0]).Max)) : new(1 - y, y - 1),
        SelectExpr s => Union(Of(s.WhenTrue), Of(s.WhenFalse)),
        _ => Unknown,
    };

    private static DimRange Max(DimRange a, DimRange b) => new(Math.Max(a.Min, b.Min), Math.Max(a.Max, b.Max));

    private static DimRange Min(DimRange a, DimRange b) => new(Math.Min(a.Min, b.Min), Math.Min(a.Max, b.Max));

    private static DimRange Union(DimRange a, DimRange b) => new(Math.Min(a.Min, b.Min), Math.Max(a.Max, b.Max));

    private static DimRange Divide(DimRange a, long y) => new(a.Min / y, a.Max / y);
}
