namespace Graphene.Codegen;

/// <summary>Walks expressions with loops: fused kernels are deeper than a call stack.</summary>
public static class KTraversal
{
    /// <summary>The expressions that an expression is computed from, in the order of its fields.</summary>
    public static IReadOnlyList<KExpr> Operands(KExpr e) => e switch
    {
        KCall call => call.Arguments,
        KLoad load => List(load.Index, load.Mask, load.Otherwise),
        KGather gather => List(gather.Indices, gather.Mask, gather.Otherwise),
        KSelect select => [select.Condition, select.WhenTrue, select.WhenFalse],
        KScale scale => [scale.Value, scale.Exponent, scale.Product],
        KLookup lookup => [lookup.Index],
        KConvert convert => [convert.Value],
        KBitcast bitcast => [bitcast.Value],
        KBroadcast broadcast => [broadcast.Value],
        KRamp ramp => [ramp.Base, ramp.Stride],
        KShuffle shuffle => [shuffle.Value],
        KJoin join => [join.Low, join.High],
        KAny any => [any.Flags],
        KDot dot => [dot.Sum, dot.Left, dot.Right],
        _ => [],
    };

    /// <summary>The numbers of a map.</summary>
    public static IReadOnlyList<KExpr> Operands(KTensorMap map) => [.. map.Sizes, .. map.Strides, map.Offset];

    /// <summary>The expressions that a statement evaluates itself, without those of the blocks in it.</summary>
    public static IReadOnlyList<KExpr> Operands(KStmt s) => s switch
    {
        KFor loop => [loop.Begin, loop.End],
        KWhile loop => [loop.Condition],
        KIf choice => [choice.Condition],
        KLet let => [let.Value],
        KDeclare declare => [declare.Initial],
        KAssign assign => [assign.Value],
        KStore store => List(store.Index, store.Value, store.Mask),
        KScatter scatter => List(scatter.Indices, scatter.Value, scatter.Mask),
        KPrefetch prefetch => [prefetch.Index],
        KTiles tiles => tiles.Rows,
        KTileLoad load => [load.Index, load.Stride],
        KTileStore store => [store.Index, store.Stride],
        KExchange exchange => [exchange.Value, exchange.Operand],
        KAsyncCopy copy => List(copy.ToIndex, copy.FromIndex, copy.Condition),
        KFragmentDot dot => [dot.Left, dot.Right],
        KFragmentLoad load => [load.Index],
        KPhaseArrive arrive => [arrive.Index],
        KPhaseWait wait => [wait.Index, wait.Parity],
        KBulkCopy copy => [copy.ToIndex, .. copy.At, copy.Barrier],
        KWarpgroupDot dot => [dot.Left.Index, dot.Right.Index],
        _ => [],
    };

    /// <summary>The blocks inside a statement.</summary>
    public static IReadOnlyList<KBlock> Blocks(KStmt s) => s switch
    {
        KFor loop => [loop.Body],
        KWhile loop => [loop.Body],
        KIf { Else: { } otherwise } choice => [choice.Then, otherwise],
        KIf choice => [choice.Then],
        KTiles tiles => [tiles.Body],
        KRoles roles => [.. roles.Roles.Select(r => r.Body)],
        _ => [],
    };

    /// <summary>Visits everything that an expression is made of, operands first, each object once, itself last.</summary>
    /// <param name="root">The expression.</param>
    /// <param name="isDone">Whether an expression is left out, with what only it is made of.</param>
    /// <param name="operands">What counts as the operands of an expression.</param>
    /// <param name="visit">Called for each.</param>
    public static void PostOrder(
        KExpr root, Func<KExpr, bool> isDone, Func<KExpr, IReadOnlyList<KExpr>> operands, Action<KExpr> visit)
    {
        var open = new Stack<(KExpr Expr, bool Expanded)>();
        open.Push((root, false));
        while (open.TryPop(out (KExpr Expr, bool Expanded) top))
        {
            if (isDone(top.Expr))
            {
                continue;
            }
            if (top.Expanded)
            {
                visit(top.Expr);
                continue;
            }
            open.Push((top.Expr, true));
            IReadOnlyList<KExpr> parts = operands(top.Expr);
            for (int i = parts.Count - 1; i >= 0; i--)
            {
                open.Push((parts[i], false));
            }
        }
    }

    // The first, and what is there of the others.
    private static KExpr[] List(KExpr first, KExpr? second, KExpr? third) => (second, third) switch
    {
        (null, null) => [first],
        (null, { } b) => [first, b],
        ({ } a, null) => [first, a],
        ({ } a, { } b) => [first, a, b],
    };
}
