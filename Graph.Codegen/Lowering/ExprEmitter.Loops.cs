namespace Graphene.Codegen;

/// <content>Loops inside of expressions, in order, and what they share with reductions in lanes.</content>
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
    private readonly HashSet<LoopExpr> _loose = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// Keeps the elements that a reduction along memory computes. While they are computed, some of what they are made of is asked for a row
    /// ahead.
    /// </summary>
    /// <param name="element">An element.</param>
    /// <param name="buffer">Where elements are kept.</param>
    /// <param name="at">The element's place there; neighbours lie side by side.</param>
    /// <param name="ahead">What is asked for.</param>
    /// <param name="rowInBytes">The distance of two rows.</param>
    public void Keep(ScalarExpr element, KBuffer buffer, AffineIndex at, IReadOnlyList<LoadExpr> ahead, int rowInBytes) =>
        _kept[element] = new KeptElement(buffer, at, ahead, rowInBytes);

    /// <summary>Lets a maximum along memory lose a NaN; see <see cref="ReductionFunction.IsLoose"/>.</summary>
    public void Loosen(LoopExpr maximum) => _loose.Add(maximum);

    /// <summary>Gives an expression over the vector axis the elements that were kept; nothing happens when none were.</summary>
    public void BindKept(ScalarExpr e, KBuffer buffer, AffineIndex at)
    {
        if (_vector is not null && _filled.Contains(buffer))
        {
            Bind(e, Builder.Let("kept", new KLoad(buffer, AccessOf(at).First, _vector.Lanes, _mask)));
        }
    }

    /// <summary>Gives a loop of one result the value that it has in the present scope.</summary>
    public void BindLoop(LoopExpr loop, KExpr result) => _scopes[^1][loop] = [result];

    // An element in every lane, stored where it is wanted again.
    private KExpr EmitElement(ScalarExpr element, KeptElement? kept)
    {
        KExpr value = EmitLanes(element);
        if (kept is not null)
        {
            foreach (LoadExpr load in kept.Ahead)
            {
                Prefetch(load, kept.RowInBytes);
            }
            value = Builder.Let("kept", value);
            Builder.Store(kept.Buffer, AccessOf(kept.At).First, value, _mask);
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
        KExpr[] results = TryEmitLaneReduction(loop) ?? TryEmitReductionOfFew(loop) ?? TryEmitBlockedSum(loop) ??
            TryEmitPositions(loop) ?? EmitOrderedLoop(loop);
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
        EmitBounded(TryBound(loop), bounded => EmitRounds(merging.Merge(loop.Variables), 0, () => InScope(() =>
        {
            if (bounded is not null)
            {
                Bind(bounded.Guard, Emit(bounded.Guard.Value));
            }
            for (int i = 0; i < carried.Length; i++)
            {
                Bind(loop.Carried[i], Builder.Let("now", new KRead(carried[i])));
            }
            KExpr[] next = [.. loop.Next.Select(e => KBuilder.Broadcast(Emit(e), lanes))];
            for (int i = 0; i < carried.Length; i++)
            {
                Builder.Assign(carried[i], next[i]);
            }
        }), bounded));
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
        bool isOneBlock = inner.Extent is { IsStatic: true, Value: <= BlockLength };
        var zero = new KConstant(function.Identity, lanes);
        KRegister total = Builder.Declare("total", zero);
        EmitBounded(isOneBlock ? TryBound(loop) : null, bounded => EmitRounds([.. groups.SkipLast(1)], 0, () =>
        {
            (KExpr first, KExpr extent) = bounded?.Of(inner) ?? (0, Builder.Let("extent", KBuilder.Value(inner.Extent)));
            Builder.For("block", first, extent, BlockLength, begin =>
            {
                KExpr end = isOneBlock
                    ? extent
                    : Builder.Let("end", KBuilder.Minimum(KBuilder.Add(begin, BlockLength), extent));
                KRegister sum = Builder.Declare("sum", zero);
                Builder.For("r", begin, end, 1, counter => InScope(() =>
                {
                    BindGroup(inner, counter);
                    if (bounded is not null)
                    {
                        Bind(bounded.Guard, Emit(bounded.Guard.Value));
                    }
                    Builder.Assign(sum, KBuilder.Add(new KRead(sum), function.Widen(KBuilder.Broadcast(Emit(element), lanes))));
                }));
                Builder.Assign(total, KBuilder.Add(new KRead(total), new KRead(sum)));
            });
        }, bounded));
        return [Builder.Let("result", EmitCall(ScalarOp.Add, [Emit(initial), function.Round(new KRead(total))]))];
    }

    private void EmitRounds(IReadOnlyList<LoopGroup> groups, int depth, Action body, BoundedRounds? bounded = null)
    {
        if (depth == groups.Count)
        {
            body();
            return;
        }
        (KExpr begin, KExpr end) = bounded?.Of(groups[depth]) ?? (0, KBuilder.Value(groups[depth].Extent));
        Builder.For("r", begin, end, 1, counter => InScope(() =>
        {
            BindGroup(groups[depth], counter);
            EmitRounds(groups, depth + 1, body, bounded);
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
    /// <param name="groups">The loops, outermost first.</param>
    /// <param name="row">The counter of all of them together.</param>
    public void BindRow(IReadOnlyList<LoopGroup> groups, KExpr row)
    {
        for (int i = groups.Count - 1; i > 0; i--)
        {
            KExpr extent = KBuilder.Value(groups[i].Extent);
            BindGroup(groups[i], Builder.Let("i", KBuilder.Remainder(row, extent)));
            row = Builder.Let("row", KBuilder.Divide(row, extent));
        }
        if (groups.Count > 0)
        {
            BindGroup(groups[0], row);
        }
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

    private sealed record KeptElement(KBuffer Buffer, AffineIndex At, IReadOnlyList<LoadExpr> Ahead, int RowInBytes);
}
