namespace Graphene.Codegen;

/// <content>Expressions: each object is computed once.</content>
internal sealed partial class TaskFrame
{
    /// <summary>The bits of every lane.</summary>
    public ulong[] Evaluate(KExpr root)
    {
        var known = new Dictionary<KExpr, ulong[]>(ReferenceEqualityComparer.Instance);
        var expansions = new Expansions(hasFma);
        KTraversal.PostOrder(root, known.ContainsKey, Parts, e => known.Add(e, Compute(e, Parts(e), known)));
        return known[root];

        IReadOnlyList<KExpr> Parts(KExpr e) => expansions.Of(e) is { } expansion ? [expansion] : KTraversal.Operands(e);
    }

    private ulong[] Compute(KExpr e, IReadOnlyList<KExpr> parts, Dictionary<KExpr, ulong[]> known) => e switch
    {
        KConstant constant => Lanes(constant, _ => constant.Value.Bits),
        KVariable variable => _variables[variable],
        KRead read => _registers[read.Register],
        KSymbol symbol => [(ulong)symbols(symbol.Symbol)],
        KLoad load => Load(load, known),
        KGather gather => Gather(gather, known),
        KCall when parts.Count == 1 && VectorMath.Expands((KCall)e) => known[parts[0]],
        KCall call => Call(call, [.. call.Arguments.Select(a => known[a])]),
        KSelect x => Lanes(x, i => (known[x.Condition][i] != 0 ? known[x.WhenTrue] : known[x.WhenFalse])[i]),
        KScale x => known[x.Product],
        KLookup x => Lanes(x, i => x.Entry(known[x.Index][i]).Bits),
        KConvert x => Lanes(x, i => LaneConversion.Convert(x.Value.Type.Element, x.To, known[x.Value][i])),
        KBitcast x => known[x.Value],
        KBroadcast x => Lanes(x, _ => known[x.Value][0]),
        KRamp x => Lanes(x, i => unchecked(known[x.Base][0] + (known[x.Stride][0] * (ulong)i))),
        KShuffle x => Lanes(x, i => known[x.Value][x.Lanes[i]]),
        KJoin x => [.. known[x.Low], .. known[x.High]],
        KAny x => [known[x.Flags].Any(flag => flag != 0) ? 1UL : 0],
        KDot x => Dot(x, known[x.Sum], known[x.Left], known[x.Right]),
        _ => throw new CompilerBugException("Kernel IR interpreter", $"unknown expression {e.GetType().Name}"),
    };

    private ulong[] Call(KCall call, ulong[][] arguments)
    {
        if (call.Op == ScalarOp.FusedMultiplyAdd && !hasFma)
        {
            return AddApart(call, arguments);
        }
        var lane = new ulong[arguments.Length];
        return Lanes(call, i =>
        {
            for (int k = 0; k < lane.Length; k++)
            {
                lane[k] = arguments[k][i];
            }
            return LaneArithmetic.Compute(call.Op, call.Arguments[0].Type.Element, lane);
        });
    }

    private static ulong[] AddApart(KCall call, ulong[][] arguments)
    {
        DType type = call.Type.Element;
        return Lanes(call, i => LaneArithmetic.Compute(
            ScalarOp.Add, type,
            [LaneArithmetic.Compute(ScalarOp.Multiply, type, [arguments[0][i], arguments[1][i]]), arguments[2][i]]));
    }

    private static ulong[] Dot(KDot dot, ulong[] sum, ulong[] left, ulong[] right)
    {
        int group = KDot.Group(dot.Left.Type.Element);
        return Lanes(dot, i => DotArithmetic.Accumulate(
            sum[i], dot.Left.Type.Element, left.AsSpan(i * group, group), dot.Right.Type.Element, right.AsSpan(i * group, group)));
    }

    private ulong[] Load(KLoad load, Dictionary<KExpr, ulong[]> known)
    {
        long index = (long)known[load.Index][0];
        return Masked(load, load.Mask, load.Otherwise, known, i => Memory(load.Buffer).Read(index + i));
    }

    private ulong[] Gather(KGather gather, Dictionary<KExpr, ulong[]> known)
    {
        ulong[] indices = known[gather.Indices];
        return Masked(gather, gather.Mask, gather.Otherwise, known, i => Memory(gather.Buffer).Read((long)indices[i]));
    }

    private static ulong[] Masked(
        KExpr e, KExpr? mask, KExpr? otherwise, Dictionary<KExpr, ulong[]> known, Func<int, ulong> read) =>
        Lanes(e, i => mask is null || known[mask][i] != 0 ? read(i) : otherwise is null ? 0 : known[otherwise][i]);

    private static ulong[] Lanes(KExpr e, Func<int, ulong> lane)
    {
        var result = new ulong[e.Type.Lanes];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = lane(i);
        }
        return result;
    }
}
