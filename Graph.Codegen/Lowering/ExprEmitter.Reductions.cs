namespace Graphene.Codegen;

/// <content>Reductions in a fixed number of lanes, joined by a fixed tree.</content>
internal sealed partial class ExprEmitter
{
    // How far ahead memory is asked for: a page, since a processor fetches ahead within one only.
    private const int BytesAhead = 4096;

    // acc[l] = combine(acc[l], element(32 i + l)) ; then lanes join 32 -> 16 -> ... -> 1 ; then combine(initial, total)
    // Longer ones: total = combine(total, that of a segment), segments in order.
    private KExpr[]? TryEmitLaneReduction(LoopExpr loop)
    {
        if (_vector is not null || loop is not { Combine: not null, Elements: [var element], Initial: [var initial] } ||
            ReductionFunction.Of(loop) is not { } function || loop.Variables.Count == 0)
        {
            return null;
        }
        var merging = new LoopMerging(Analysis, [element], []);
        List<LoopGroup> groups = merging.Merge(loop.Variables);
        LoopGroup inner = groups[^1];
        if (!merging.Accesses.Any(a => a[inner.Last] == 1))
        {
            return null;
        }
        function = function with { IsLoose = _loose.Contains(loop) };
        Hoist([element], loop.Variables);
        KExpr extent = Builder.Let("extent", KBuilder.Value(inner.Extent));
        if (groups.Count == 1 && IsLong(inner.Extent))
        {
            KRegister all = Builder.Declare("total", new KConstant(function.Identity, 1));
            Builder.For("segment", 0, extent, SegmentLength, begin =>
            {
                KExpr end = Builder.Let("end", KBuilder.Minimum(KBuilder.Add(begin, SegmentLength), extent));
                Builder.Assign(all, KBuilder.Call(function.Op, new KRead(all), EmitSegment(inner, element, function, begin, end)));
            });
            return [EmitCall(function.Op, [Emit(initial), function.Round(new KRead(all))])];
        }
        KRegister lanes = Builder.Declare("lanes", new KConstant(function.Identity, LanesFor(function, inner.Extent)));
        EmitRounds([.. groups.SkipLast(1)], 0, () => EmitLaneRounds(inner, element, function, lanes, 0, extent));
        KExpr total = function.Round(LaneJoin.Emit(Builder, new KRead(lanes), function.Combine));
        return [EmitCall(function.Op, [Emit(initial), total])];
    }

    /// <summary>Whether a reduction over so many consecutive elements is cut into segments, or may be.</summary>
    public static bool IsLong(Dim extent) => extent.Range.Max > SegmentLength;

    /// <summary>What the elements of one segment give, as wide as they are accumulated.</summary>
    /// <param name="inner">The loop over the elements.</param>
    /// <param name="element">One of them.</param>
    /// <param name="function">How they are combined.</param>
    /// <param name="begin">The segment's first element.</param>
    /// <param name="end">One behind its last.</param>
    public KExpr EmitSegment(LoopGroup inner, ScalarExpr element, ReductionFunction function, KExpr begin, KExpr end)
    {
        KExpr? total = null;
        InScope(() =>
        {
            KRegister lanes = Builder.Declare("lanes", new KConstant(function.Identity, LanesFor(function, inner.Extent)));
            EmitLaneRounds(inner, element, function, lanes, begin, end);
            total = LaneJoin.Emit(Builder, new KRead(lanes), function.Combine);
        });
        return total!;
    }

    // What the lanes of a reduction would hold, in a register each while lanes hold neighbouring results: the same terms meet in
    // the same order. Lanes without a term would add the identity.
    private KExpr[]? TryEmitReductionOfFew(LoopExpr loop)
    {
        if (_vector is null || loop is not { Combine: not null, Elements: [var element], Initial: [var initial] } ||
            ReductionFunction.Of(loop) is not { } function || loop.Variables.Count == 0)
        {
            return null;
        }
        var merging = new LoopMerging(Analysis, [element], []);
        List<LoopGroup> groups = merging.Merge(loop.Variables);
        LoopGroup inner = groups[^1];
        if (inner.Extent is not { IsStatic: true, Value: > 0 and < FewElements } || !merging.Accesses.Any(a => a[inner.Last] == 1))
        {
            return null;
        }
        Hoist([element], loop.Variables);
        int lanes = LanesOf(loop);
        var terms = new KRegister[inner.Extent.Value];
        for (int i = 0; i < terms.Length; i++)
        {
            terms[i] = Builder.Declare("term", new KConstant(function.Identity, lanes));
        }
        EmitRounds([.. groups.SkipLast(1)], 0, () =>
        {
            for (int i = 0; i < terms.Length; i++)
            {
                InScope(() =>
                {
                    BindGroup(inner, i);
                    KExpr next = function.Widen(KBuilder.Broadcast(Emit(element), lanes));
                    Builder.Assign(terms[i], KBuilder.Call(function.Op, new KRead(terms[i]), next));
                });
            }
        });
        KExpr[] joined = [.. terms.Select(t => new KRead(t))];
        for (int half = ReductionLanes / 2; half >= 1; half /= 2)
        {
            KExpr[] high = [.. joined.Skip(half)];
            joined = [.. joined.Take(half).Select((low, i) => i < high.Length ? KBuilder.Call(function.Op, low, high[i]) : low)];
        }
        return [Builder.Let("result", EmitCall(function.Op, [Emit(initial), function.Round(joined[0])]))];
    }

    // The largest and the smallest do not depend on the order: as many as hide the latency of finding them.
    private static int LanesFor(ReductionFunction function, Dim extent)
    {
        bool isExtremum = function.Op is ScalarOp.Maximum or ScalarOp.Minimum;
        return isExtremum && extent is { IsStatic: true, Value: >= 8 * ReductionLanes } ? 2 * ReductionLanes : ReductionLanes;
    }

    private void EmitLaneRounds(
        LoopGroup inner, ScalarExpr element, ReductionFunction function, KRegister lanes, KExpr begin, KExpr end)
    {
        foreach (IndexVariable member in inner.Members.SkipLast(1))
        {
            Bind(member, 0);
        }
        int count = lanes.Type.Lanes;
        KeptElement? kept = _kept.GetValueOrDefault(element);
        KExpr whole = Builder.Let("whole", KBuilder.Add(
            begin, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, begin), count), count)));
        bool asks = function.Op == ScalarOp.Add && kept is not { Ahead.Count: > 0 };
        LoadExpr[] ahead = asks ? [.. ExprAnalysis.All([element]).OfType<LoadExpr>().Where(IsFar)] : [];
        Builder.For("r", begin, whole, count, first => WithVector(inner.Last, first, count, null, () =>
        {
            foreach (LoadExpr load in ahead)
            {
                Prefetch(load, BytesAhead, isSoon: false);
            }
            Builder.Assign(lanes, function.Combine(new KRead(lanes), function.Widen(EmitElement(element, kept))));
        }));
        EmitTail(end, whole, count, mask => WithVector(inner.Last, whole, count, mask, () =>
        {
            KExpr now = new KRead(lanes);
            KExpr next = function.Combine(now, function.Widen(EmitElement(element, kept)));
            Builder.Assign(lanes, new KSelect(mask, next, now));
        }));
    }

    private bool IsFar(LoadExpr load) =>
        load.SourceType.SizeInBytes is { IsStatic: true, Value: var bytes } && Target?.ComesFromMemory(bytes) == true;
}
