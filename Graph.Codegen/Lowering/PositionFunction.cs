namespace Graphene.Codegen;

/// <summary>
/// A reduction that finds the position of the largest or smallest element along a counter, as <see cref="ArgReductionComposites"/>
/// writes it: NaN beats every number, and of equal elements (zeros of both signs are equal) one end wins.
/// </summary>
/// <remarks>
/// That is a total order of pairs whose positions differ, so exactly one pair wins, in whatever order pairs are compared.
/// </remarks>
/// <param name="IsMaximum">Whether the largest wins.</param>
/// <param name="TakesLast">Whether the last of equal elements wins, and not the first.</param>
/// <param name="Type">The type of the elements.</param>
internal sealed record PositionFunction(bool IsMaximum, bool TakesLast, DType Type)
{
    /// <summary>The type in which elements are compared; it has all of their values.</summary>
    public DType Compared => Type is DType.F16 or DType.BF16 ? DType.F32 : Type;

    /// <summary>The function of a reduction along one counter, or null when its body is anything else.</summary>
    public static PositionFunction? Of(LoopExpr loop)
    {
        if (loop is not { Combine: not null, Variables: [var counter], Elements: [var next, var place], Carried: [var best, var bestPlace] } ||
            !ReferenceEquals(place, counter) || next.DType == DType.Bool || loop.Next is not [SelectExpr value, SelectExpr position] ||
            !ReferenceEquals(value.Condition, position.Condition) ||
            !IsChoice(value, next, best) || !IsChoice(position, place, bestPlace))
        {
            return null;
        }
        // next place != -1 and (place == -1 or isBetter or isEqual and winsTie)
        if (value.Condition is not CallExpr { Op: ScalarOp.And, Arguments: [var isThere, CallExpr { Op: ScalarOp.Or } among] } ||
            !IsWithNone(isThere, ScalarOp.NotEqual, place) || !IsWithNone(among.Arguments[0], ScalarOp.Equal, bestPlace) ||
            among.Arguments[1] is not CallExpr
            {
                Op: ScalarOp.Or, Arguments: [var isBetter, CallExpr { Op: ScalarOp.And, Arguments: [var isEqual, var winsTie] }],
            })
        {
            return null;
        }
        if (next.DType.IsFloating())
        {
            // isBetter or isNaN(next) and not isNaN(best);  isEqual or isNaN(next) and isNaN(best)
            if (isBetter is not CallExpr { Op: ScalarOp.Or, Arguments: [var isBeyond, CallExpr { Op: ScalarOp.And } beatsNumbers] } ||
                isEqual is not CallExpr { Op: ScalarOp.Or, Arguments: [var isSame, CallExpr { Op: ScalarOp.And } bothNaN] } ||
                !Is(beatsNumbers.Arguments[0], ScalarOp.NotEqual, next, next) ||
                beatsNumbers.Arguments[1] is not CallExpr { Op: ScalarOp.Not, Arguments: [var isNaN] } ||
                !Is(isNaN, ScalarOp.NotEqual, best, best) ||
                !ReferenceEquals(bothNaN.Arguments[0], beatsNumbers.Arguments[0]) || !ReferenceEquals(bothNaN.Arguments[1], isNaN))
            {
                return null;
            }
            (isBetter, isEqual) = (isBeyond, isSame);
        }
        bool isMaximum = Is(isBetter, ScalarOp.Less, best, next);
        bool takesLast = Is(winsTie, ScalarOp.Less, bestPlace, place);
        return (isMaximum || Is(isBetter, ScalarOp.Less, next, best)) && (takesLast || Is(winsTie, ScalarOp.Less, place, bestPlace)) &&
            Is(isEqual, ScalarOp.Equal, next, best)
            ? new PositionFunction(isMaximum, takesLast, next.DType)
            : null;
    }

    /// <summary>Whether an element beats the best of those before it.</summary>
    /// <param name="next">The element, as it is compared.</param>
    /// <param name="best">The best.</param>
    public KExpr Beats(KExpr next, KExpr best)
    {
        (KExpr less, KExpr more) = IsMaximum ? (best, next) : (next, best);
        if (!Compared.IsFloating())
        {
            return KBuilder.Call(TakesLast ? ScalarOp.LessOrEqual : ScalarOp.Less, less, more);
        }
        return TakesLast
            ? KBuilder.Call(ScalarOp.Or, KBuilder.Call(ScalarOp.LessOrEqual, less, more), IsNaN(next))
            : KBuilder.Call(ScalarOp.And, Not(KBuilder.Call(ScalarOp.LessOrEqual, more, less)), Not(IsNaN(best)));
    }

    /// <summary>Whether one element with its position beats another.</summary>
    /// <param name="a">An element, as it is compared.</param>
    /// <param name="place">Its position.</param>
    /// <param name="best">Another element.</param>
    /// <param name="bestPlace">Its position.</param>
    public KExpr Beats(KExpr a, KExpr place, KExpr best, KExpr bestPlace)
    {
        KExpr isBetter = IsMaximum ? KBuilder.Less(best, a) : KBuilder.Less(a, best);
        KExpr isEqual = KBuilder.Call(ScalarOp.Equal, a, best);
        if (Compared.IsFloating())
        {
            isBetter = KBuilder.Call(ScalarOp.Or, isBetter, KBuilder.Call(ScalarOp.And, IsNaN(a), Not(IsNaN(best))));
            isEqual = KBuilder.Call(ScalarOp.Or, isEqual, KBuilder.Call(ScalarOp.And, IsNaN(a), IsNaN(best)));
        }
        KExpr winsTie = TakesLast ? KBuilder.Less(bestPlace, place) : KBuilder.Less(place, bestPlace);
        return KBuilder.Call(ScalarOp.Or, isBetter, KBuilder.Call(ScalarOp.And, isEqual, winsTie));
    }

    private static KExpr IsNaN(KExpr x) => KBuilder.Call(ScalarOp.NotEqual, x, x);

    private static KExpr Not(KExpr x) => KBuilder.Call(ScalarOp.Not, x);

    private static bool IsChoice(SelectExpr choice, ScalarExpr next, ScalarExpr best) =>
        ReferenceEquals(choice.WhenTrue, next) && ReferenceEquals(choice.WhenFalse, best);

    private static bool IsWithNone(ScalarExpr e, ScalarOp op, ScalarExpr place) =>
        e is CallExpr { Arguments: [var a, { AsConstantIndex: -1 }] } call && call.Op == op && ReferenceEquals(a, place);

    private static bool Is(ScalarExpr e, ScalarOp op, ScalarExpr left, ScalarExpr right) =>
        e is CallExpr { Arguments: [var a, var b] } call && call.Op == op && ReferenceEquals(a, left) && ReferenceEquals(b, right);
}
