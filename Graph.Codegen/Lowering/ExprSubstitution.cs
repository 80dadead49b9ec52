namespace Graphene.Codegen;

/// <summary>
/// Replaces counters and loops in expressions; equal ones become one object, so what loops have in
/// common is computed once.
/// </summary>
/// <remarks>
/// <code>
/// softmax:  max over r of x[row, r],  sum over s of exp(x[row, s] - m),  exp(x[row, c] - m) / total      r, s, c => column
/// </code>
/// </remarks>
/// <param name="f">Makes the expressions.</param>
/// <param name="map">What takes the place of what.</param>
internal sealed class ExprSubstitution(ExprFactory f, IReadOnlyDictionary<ScalarExpr, ScalarExpr> map)
{
    private readonly Dictionary<ScalarExpr, ScalarExpr> _done = [];

    /// <summary>The expression with everything replaced; null when a loop that stays would have to be made anew.</summary>
    public ScalarExpr? TryApply(ScalarExpr root)
    {
        var open = new Stack<(ScalarExpr Expression, bool IsExpanded)>([(root, false)]);
        while (open.TryPop(out (ScalarExpr Expression, bool IsExpanded) top))
        {
            ScalarExpr e = top.Expression;
            if (_done.ContainsKey(e))
            {
                continue;
            }
            if (map.TryGetValue(e, out ScalarExpr? other))
            {
                _done.Add(e, other);
                continue;
            }
            if (!top.IsExpanded)
            {
                open.Push((e, true));
                foreach (ScalarExpr part in ExprAnalysis.Parts(e))
                {
                    open.Push((part, false));
                }
                continue;
            }
            if (Rebuild(e) is not { } rebuilt)
            {
                return null;
            }
            _done.Add(e, rebuilt);
        }
        return _done[root];
    }

    private ScalarExpr? Rebuild(ScalarExpr e)
    {
        ScalarExpr[] parts = [.. ExprAnalysis.Parts(e).Select(p => _done[p])];
        if (ExprAnalysis.Parts(e).SequenceEqual(parts))
        {
            return e;
        }
        return e switch
        {
            LoadExpr load => f.Load(load.Source, load.SourceType, IndexVector.From(parts)),
            CallExpr call => f.Call(call.Op, parts),
            ConvertExpr convert => f.Convert(parts[0], convert.DType),
            BitcastExpr bitcast => f.Bitcast(parts[0], bitcast.DType),
            SelectExpr => f.Select(parts[0], parts[1], parts[2]),
            GuardExpr => f.Guard(parts[0], parts[1], parts[2]),
            _ => null,
        };
    }
}
