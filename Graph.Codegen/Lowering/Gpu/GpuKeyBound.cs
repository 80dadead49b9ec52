namespace Graphene.Codegen;

/// <summary>
/// What a causal mask says about whole tiles: keys from some place on are hidden from a query, and that place rises with the query, so a
/// block of queries need not look behind that of its last one.
/// </summary>
internal static class GpuKeyBound
{
    /// <summary>
    /// How many keys, from the first, a query can see, over the counters of the scores; null when the score does not tell. The score
    /// is <c>select(key &lt;= bound and .., x, -infinity)</c> or says the same in other words.
    /// </summary>
    /// <param name="score">The score.</param>
    /// <param name="key">Counts keys.</param>
    /// <param name="query">Counts queries.</param>
    public static AffineIndex? Find(ScalarExpr score, IndexVariable key, IndexVariable query)
    {
        while (true)
        {
            switch (score)
            {
                case ConvertExpr convert:
                    score = convert.Value;
                    continue;
                case SelectExpr { WhenFalse: ConstantExpr hidden } select when IsHidden(hidden):
                    if (First(Conditions(select.Condition, ScalarOp.And), false, key, query) is { } seen)
                    {
                        return seen;
                    }
                    score = select.WhenTrue;
                    continue;
                case SelectExpr { WhenTrue: ConstantExpr hidden } select when IsHidden(hidden):
                    if (First(Conditions(select.Condition, ScalarOp.Or), true, key, query) is { } rest)
                    {
                        return rest;
                    }
                    score = select.WhenFalse;
                    continue;
                default:
                    return null;
            }
        }
    }

    private static AffineIndex? First(IEnumerable<CallExpr> conditions, bool hide, IndexVariable key, IndexVariable query) =>
        conditions.Select(c => Bound(c, hide, key, query)).FirstOrDefault(bound => bound is not null);

    private static bool IsHidden(ConstantExpr value) => value.DType.IsFloating() && double.IsNegativeInfinity(value.Value.AsDouble);

    private static IEnumerable<CallExpr> Conditions(ScalarExpr condition, ScalarOp join) => condition switch
    {
        CallExpr call when call.Op == join => call.Arguments.SelectMany(a => Conditions(a, join)),
        CallExpr call => [call],
        _ => [],
    };

    // key <= x becomes x - key + 1, key < x becomes x - key; what hides is turned round first.
    private static AffineIndex? Bound(CallExpr condition, bool hides, IndexVariable key, IndexVariable query)
    {
        if (condition.Op is not (ScalarOp.Less or ScalarOp.LessOrEqual) || condition.Arguments[0].DType != DType.I64)
        {
            return null;
        }
        (ScalarExpr low, ScalarExpr high) = (condition.Arguments[0], condition.Arguments[1]);
        bool isStrict = (condition.Op == ScalarOp.Less) != hides;
        int least = isStrict ? 0 : 1;
        AffineIndex distance = hides ? AffineIndex.Difference(low, high, least) : AffineIndex.Difference(high, low, least);
        return distance.Opaque.Count == 0 && distance[key] == -1 && distance[query].Range.Min >= 0 ? distance : null;
    }
}
