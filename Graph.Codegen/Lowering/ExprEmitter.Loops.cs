namespace Graphene.Codegen;

// Loops inside of expressions: strictly ordered ones, and reductions in a fixed number of lanes joined by a fixed tree.
internal sealed partial class ExprEmitter
{
    /// <summary>
    /// How many running results a reduction over consecutive elements keeps: element i goes to lane i modulo this. It is part of
    /// the numerics contract (bits must not depend on the machine's vector width), and wide enough to hide the latency of adds.
    /// </summary>
    public const int ReductionLanes = 32;

    /// <summary>
    /// How many consecutive elements those running results take before they join the total: longer reductions are cut into segments
    /// of this many, which threads share. Part of the numerics contract, too.
    /// </summary>
    public const int SegmentLength = 32768;

    /// <summary>
    /// How many consecutive terms of any other floating-point sum are added up before they join the total. Part of the numerics
    /// contract, too.
    /// </summary>
    public const int BlockLength = 128;

    /// <summary>
    /// Reductions over fewer consecutive elements than this have little use of lanes of their own: lanes are better spent on the
    /// next dimension. The same for every machine, and without effect on bits.
    /// </summary>
    public const int FewElements = 8;

    private readonly Dictionary<ScalarExpr, KeptElement> _kept = [];
    private readonly HashSet<KBuffer> _filled = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// Keeps the elements that a reduction along memory computes; place i of the buffer is that of counter i. While they are computed, some of
    /// what they are made of is asked for a row ahead.
    /// </summary>
    public void Keep(ScalarExpr element, KBuffer buffer, IReadOnlyList<LoadExpr> ahead, int rowInBytes) =>
        _kept[element] = new KeptElement(buffer, ahead, rowInBytes);

    /// <summary>Gives an expression over the vector axis the elements that were kept; nothing happens when none were.</summary>
    public void BindKept(ScalarExpr e, KBuffer buffer)
    {
        if (_vector is not null && _filled.Contains(buffer))
        {
            Bind(e, Builder.Let("kept", new KLoad(buffer, _vector.First, _vector.Lanes, _mask)));
        }
    }

    // An element in every lane, stored where it is wanted again.
    private KExpr EmitElement(ScalarExpr element, KeptElement? kept)
    {
        KExpr value = EmitLanes(element);
        if (kept is not null)
        {
            foreach (LoadExpr load in kept.Ahead)
            {
                Prefetch(load, kept.RowInBytes, CacheSizes.LineInBytes);
            }
            value = Builder.Let("kept", value);
            Builder.Store(kept.Buffer, _vector!.First, value, _mask);
            _filled.Add(kept.Buffer);
        }
        return value;
    }

    private KExpr[] EmitLoop(LoopExpr loop)
    {
        if (Lookup(loop) is { } known)
        {
            return known;
        }
        KExpr[] results = TryEmitLaneReduction(loop) ?? TryEmitReductionOfFew(loop) ?? TryEmitBlockedSum(loop) ?? EmitOrderedLoop(loop);
        _scopes[^1][loop] = results;
        return results;
    }

    // How many lanes a loop's values have: one when they are the same in all lanes of the vector axis.
    private int LanesOf(LoopExpr loop) => _vector is not null && (_guarded ||
        loop.Next.Concat(loop.Initial).Any(e => Analysis.DependsOn(e, [_vector.Variable]))) ? _vector.Lanes : 1;

    private KExpr[] EmitOrderedLoop(LoopExpr loop)
    {
        int lanes = LanesOf(loop);
        Hoist(loop.Next, [.. loop.Variables, .. loop.Carried]);
        KRegister[] carried =
            [.. loop.Initial.Select(e => Builder.Declare("carried", KBuilder.Broadcast(Emit(e), lanes)))];
        var merging = new LoopMerging(Analysis, loop.Next, []);
        EmitRounds(merging.Merge(loop.Variables), 0, () => InScope(() =>
        {
            for (int i = 0; i < carried.Length; i++)
            {
                Bind(loop.Carried[i], Builder.Let("now", new KRead(carried[i])));
            }
            KExpr[] next = [.. loop.Next.Select(e => KBuilder.Broadcast(Emit(e), lanes))];
            for (int i = 0; i < carried.Length; i++)
            {
                Builder.Assign(carried[i], next[i]);
            }
        }));
        return [.. carried.Select(r => Builder.Let("result", new KRead(r)))];
    }

    // total += sum of a block ; then initial + total. One running sum would lose a bit each time the number of terms doubles.
    private KExpr[]? TryEmitBlockedSum(LoopExpr loop)
    {
        if (loop is not { Combine: not null, Elements: [var element], Initial: [var initial] } || loop.Variables.Count == 0 ||
            ReductionFunction.Of(loop) is not { Op: ScalarOp.Add } function || !function.Identity.DType.IsFloating())
        {
            return null;
        }
        int lanes = LanesOf(loop);
        List<LoopGroup> groups = new LoopMerging(Analysis, [element], []).Merge(loop.Variables);
        LoopGroup inner = groups[^1];
        Hoist([element], loop.Variables);
        var zero = new KConstant(function.Identity, lanes);
        KRegister total = Builder.Declare("total", zero);
        EmitRounds([.. groups.SkipLast(1)], 0, () =>
        {
            KExpr extent = Builder.Let("extent", KBuilder.Value(inner.Extent));
            Builder.For("block", 0, extent, BlockLength, begin =>
            {
                KExpr end = inner.Extent is { IsStatic: true, Value: <= BlockLength }
                    ? extent
                    : Builder.Let("end", KBuilder.Minimum(KBuilder.Add(begin, BlockLength), extent));
                KRegister sum = Builder.Declare("sum", zero);
                Builder.For("r", begin, end, 1, counter => InScope(() =>
                {
                    BindGroup(inner, counter);
                    Builder.Assign(sum, KBuilder.Add(new KRead(sum), function.Widen(KBuilder.Broadcast(Emit(element), lanes))));
                }));
                Builder.Assign(total, KBuilder.Add(new KRead(total), new KRead(sum)));
            });
        });
        return [Builder.Let("result", EmitCall(ScalarOp.Add, [Emit(initial), function.Round(new KRead(total))]))];
    }

    private void EmitRounds(IReadOnlyList<LoopGroup> groups, int depth, Action body)
    {
        if (depth == groups.Count)
        {
            body();
            return;
        }
        Builder.For("r", 0, KBuilder.Value(groups[depth].Extent), 1, counter => InScope(() =>
        {
            BindGroup(groups[depth], counter);
            EmitRounds(groups, depth + 1, body);
        }));
    }

    /// <summary>Binds a merged loop's counters: the last one counts, the others are 0.</summary>
    public void BindGroup(LoopGroup group, KExpr counter)
    {
        foreach (IndexVariable member in group.Members)
        {
            Bind(member, 0);
        }
        Bind(group.Last, counter);
    }

    /// <summary>Binds loops that were made one to their counters.</summary>
    /// <param name="groups">The loops, outermost first; at least one.</param>
    /// <param name="row">The counter of all of them together.</param>
    public void BindRow(IReadOnlyList<LoopGroup> groups, KExpr row)
    {
        for (int i = groups.Count - 1; i > 0; i--)
        {
            KExpr extent = KBuilder.Value(groups[i].Extent);
            BindGroup(groups[i], Builder.Let("i", KBuilder.Remainder(row, extent)));
            row = Builder.Let("row", KBuilder.Divide(row, extent));
        }
        BindGroup(groups[0], row);
    }

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
        KExpr total = function.Round(JoinLanes(new KRead(lanes), function.Op));
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
            total = JoinLanes(new KRead(lanes), function.Op);
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
        Builder.For("r", begin, whole, count, first => WithVector(inner.Last, first, count, null, () =>
            Builder.Assign(lanes, KBuilder.Call(function.Op, new KRead(lanes), function.Widen(EmitElement(element, kept))))));
        EmitTail(end, whole, count, mask => WithVector(inner.Last, whole, count, mask, () =>
        {
            KExpr now = new KRead(lanes);
            KExpr next = KBuilder.Call(function.Op, now, function.Widen(EmitElement(element, kept)));
            Builder.Assign(lanes, new KSelect(mask, next, now));
        }));
    }

    /// <summary>Emits what is left behind the last whole vector, if anything, under a mask.</summary>
    public void EmitTail(KExpr extent, KExpr whole, int lanes, Action<KExpr> body)
    {
        KExpr rest = Builder.Let("rest", KBuilder.Subtract(extent, whole));
        if (rest is KConstant { Value.AsBool: false })
        {
            return;
        }
        void Masked() => body(Builder.Let("mask", KBuilder.Less(new KRamp(0, 1, lanes), KBuilder.Broadcast(rest, lanes))));
        if (rest is KConstant)
        {
            InScope(Masked);
        }
        else
        {
            Builder.If(KBuilder.Less(0, rest), () => InScope(Masked));
        }
    }

    private KExpr JoinLanes(KExpr value, ScalarOp op)
    {
        value = Builder.Let("lanes", value);
        for (int half = value.Type.Lanes / 2; half >= 1; half /= 2)
        {
            KExpr low = new KShuffle(value, Enumerable.Range(0, half).ToValueList());
            KExpr high = new KShuffle(value, Enumerable.Range(half, half).ToValueList());
            value = Builder.Let("joined", KBuilder.Call(op, low, high));
        }
        return value;
    }

    private sealed record KeptElement(KBuffer Buffer, IReadOnlyList<LoadExpr> Ahead, int RowInBytes);
}
