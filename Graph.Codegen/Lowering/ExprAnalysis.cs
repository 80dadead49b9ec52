namespace Graphene.Codegen;

/// <summary>Facts about scalar expressions that lowering asks for again and again; computed once per expression.</summary>
internal sealed class ExprAnalysis
{
    private static readonly HashSet<ScalarExpr> Nothing = [];
    private readonly Dictionary<ScalarExpr, HashSet<ScalarExpr>> _free = [];

    /// <summary>The loop counters and carried values that an expression depends on, without those of loops inside it.</summary>
    public IReadOnlySet<ScalarExpr> FreeVariables(ScalarExpr e) => Free(e);

    /// <summary>True when the value of <paramref name="e"/> changes with one of the variables.</summary>
    public bool DependsOn(ScalarExpr e, IEnumerable<ScalarExpr> variables) => Free(e).Overlaps(variables);

    /// <summary>The expressions that <paramref name="e"/> is made of directly; for a loop result, those of the whole loop.</summary>
    public static IEnumerable<ScalarExpr> Parts(ScalarExpr e) => e switch
    {
        LoadExpr x => x.At,
        CallExpr x => x.Arguments,
        ConvertExpr x => [x.Value],
        BitcastExpr x => [x.Value],
        SelectExpr x => [x.Condition, x.WhenTrue, x.WhenFalse],
        GuardExpr x => [x.Condition, x.Value, x.Otherwise],
        LoopResultExpr x => x.Loop.Initial.Concat(x.Loop.Next),
        _ => [],
    };

    /// <summary>
    /// Everything that some expressions are made of, themselves included, each once, in an order that
    /// depends on them alone.
    /// </summary>
    public static IEnumerable<ScalarExpr> All(IEnumerable<ScalarExpr> roots)
    {
        var seen = new HashSet<ScalarExpr>();
        var pending = new Stack<ScalarExpr>(roots);
        while (pending.TryPop(out ScalarExpr? e))
        {
            if (!seen.Add(e))
            {
                continue;
            }
            yield return e;
            foreach (ScalarExpr part in Parts(e))
            {
                pending.Push(part);
            }
        }
    }

    private HashSet<ScalarExpr> Free(ScalarExpr e)
    {
        if (e is IndexVariable or CarriedExpr)
        {
            return [e];
        }
        if (e is ConstantExpr or DimExpr)
        {
            return Nothing;
        }
        if (_free.TryGetValue(e, out HashSet<ScalarExpr>? known))
        {
            return known;
        }
        var free = new HashSet<ScalarExpr>();
        foreach (ScalarExpr part in Parts(e))
        {
            free.UnionWith(Free(part));
        }
        if (e is LoopResultExpr { Loop: var loop })
        {
            free.ExceptWith(loop.Variables);
            free.ExceptWith(loop.Carried);
        }
        _free.Add(e, free);
        return free;
    }
}
