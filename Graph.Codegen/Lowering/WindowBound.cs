namespace Graphene.Codegen;

/// <summary>
/// One side of what keeps a place inside of an operand: <c>0 &lt;= place</c> or <c>place &lt; size</c>, as <c>0 &lt;= Index</c> either way.
/// </summary>
/// <param name="Index">The place, or what is left to the size behind it.</param>
internal sealed record WindowBound(AffineIndex Index)
{
    /// <summary>The bounds that a condition consists of; null when there is anything else in it.</summary>
    public static WindowBound[]? TryOf(ScalarExpr condition)
    {
        var bounds = new List<WindowBound>();
        return TryAdd(condition, bounds) ? [.. bounds] : null;
    }

    /// <summary>The counter of some that the place changes with, in known steps; null when it is none of them, or several.</summary>
    public IndexVariable? OnlyOneOf(IReadOnlyList<IndexVariable> counters)
    {
        IndexVariable[] among = [.. Index.Variables.Where(v => Index[v] != 0 && counters.Contains(v))];
        return among is [var only] && Index[only].IsStatic ? only : null;
    }

    private static bool TryAdd(ScalarExpr e, List<WindowBound> bounds)
    {
        switch (e)
        {
            case CallExpr { Op: ScalarOp.And } both:
                return TryAdd(both.Arguments[0], bounds) && TryAdd(both.Arguments[1], bounds);
            case CallExpr { Op: ScalarOp.Less, Arguments: [{ DType: DType.I64 } a, var b] }:
                bounds.Add(new WindowBound(AffineIndex.Difference(b, a, -1)));
                break;
            case CallExpr { Op: ScalarOp.LessOrEqual, Arguments: [{ DType: DType.I64 } a, var b] }:
                bounds.Add(new WindowBound(AffineIndex.Difference(b, a, 0)));
                break;
            default:
                return false;
        }
        return bounds[^1].Index.Opaque.Count == 0;
    }
}
