namespace Graphene.Codegen;

/// <summary>
/// Lowers fusions with reductions along rows, and what is computed of the rows' elements besides, in
/// one pass over memory.
/// </summary>
/// <remarks>
/// <code>
/// softmax over [rows, columns]       team of threads for a row, the row in their registers
///   x = row[thread], row[thread + 32], ...              each operand is read once
///   m = max over x                   in each thread, then across lanes by exchange, then across warps by shared memory
///   e = exp(x - m)
///   s = sum over e
///   result[thread], ... = e / s
/// </code>
/// Bound: memory. Operands and results move once, at 4.8 TB/s: layer norm of [8192, 1024] in f32 moves 64 MiB, 14
/// microseconds. An access of a warp is 32 neighbours; single elements of 4 bytes fill the pieces that memory moves,
/// and a thread has all of its row's part on the way at once. A reduction costs a warp 5 exchanges, and a block of
/// several warps one barrier for each level of statistics.
/// <para>
/// All expressions are over one counter of the row (<see cref="RowForm"/>), so what statistics and results have in common, from operands to
/// exponentials, is one value in a register. The order of sums is <see cref="RowTeam"/>'s.
/// </para>
/// </remarks>
internal sealed partial class GpuRowLowering
{
    // Places, statistics, and what functions need.
    private const int RegistersBesides = 48;

    private readonly GpuTarget _gpu;
    private readonly FusionSource _source;
    private readonly KBuilder _b = new();
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private readonly LoopNest _nest;
    private readonly KVariable _task = new("task", KType.Index);
    private readonly KVariable _thread = new("thread", KType.Index);
    private RowForm _form = null!;

    private GpuRowLowering(Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        _gpu = target.Gpu!;
        _source = new FusionSource(fusion, new KernelArguments(), isOverwritten, lookups: lookups);
        _emitter = new ExprEmitter(_b, _analysis, _source.Source) { Target = target };
        _nest = new LoopNest(_source, UpdatedBox.TryFind(_source, isOverwritten), _analysis);
    }

    /// <summary>The kernels, or null when reductions do not run along rows.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        GpuRowLowering Again() => new(fusion, target, isOverwritten, lookups);
        GpuRowLowering lowering = Again();
        if (!lowering.TryRead())
        {
            return null;
        }
        return lowering.IsSplit() ? Split(name, fusion, () =>
        {
            GpuRowLowering another = Again();
            another.TryRead();
            return another;
        }) : [lowering.Run(name, fusion)];
    }

    /// <summary>The same as one kernel, even where rows are few and long.</summary>
    public static LoweredKernel? TryLowerAsOne(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        var lowering = new GpuRowLowering(fusion, target, isOverwritten, lookups);
        return lowering.TryRead() ? lowering.Run(name, fusion) : null;
    }

    private bool TryRead()
    {
        if (RowForm.TryRead(_source, _nest) is not { } form)
        {
            return false;
        }
        _form = form;
        return true;
    }

    // Rows that no block holds, and too few of them to keep the machine busy.
    private bool IsSplit() =>
        _form.Column.Extent is { IsStatic: true, Value: > RowTeam.MostHeld } &&
        _form.Rows.IsStatic && _form.Rows.Value < 2 * _gpu.Multiprocessors;

    private LoweredKernel Run(string name, Node fusion)
    {
        (KExpr count, int threads, int lanes) = _form.Column.Extent is { IsStatic: true, Value: <= RowTeam.MostHeld and var length }
            ? (EmitHeld(new RowTeam(length)), new RowTeam(length).Threads, new RowTeam(length).Lanes)
            : (EmitLooped(_form.Column.Extent), LoopedWarps * KThreads.WarpSize, PieceLanes);
        var kernel = new Kernel(name, _source.Arguments.Buffers, _task, count, _b.ToBlock(), _nest.Cost(fusion))
        {
            Threads = new KThreads(_thread, threads) { TasksPerMultiprocessor = GpuTarget.TasksOf(threads, Registers(lanes)) },
        };
        return new LoweredKernel(kernel, _source.Arguments.Operands);
    }

    // All that is read of a row may be there at once, and what is computed of it.
    private int Registers(int lanes)
    {
        IEnumerable<LoadExpr> loads = ExprAnalysis.All(_form.Roots.Select(r => r.Element).Concat(_form.Loops.SelectMany(l => l.Elements)))
            .OfType<LoadExpr>().Where(l => _analysis.DependsOn(l, [_form.Column]));
        return RegistersBesides + (lanes * (1 + loads.Sum(l => (int)DimMath.CeilDiv(l.DType.SizeInBytes(), sizeof(float)))));
    }

    // Everything of a row is in the registers of its team.
    private KExpr EmitHeld(RowTeam team)
    {
        KExpr rows = KBuilder.Value(_form.Rows);
        KExpr count = KBuilder.CeilDiv(rows, team.RowsPerBlock);
        KExpr place = team.Width == 1 ? 0 : team.Width == team.Threads ? _thread
            : _b.Let("place", KBuilder.Remainder(_thread, team.Width));
        if (team.Warps > 1)
        {
            KExpr warp = _b.Let("warp", KBuilder.Divide(_thread, KThreads.WarpSize));
            KExpr first = _b.Let("first", KBuilder.Add(KBuilder.Multiply(warp, RowTeam.Segment), place));
            EmitRow(team, _task, null, first, place, warp);
            return count;
        }
        KExpr row = _b.Let("row", KBuilder.Add(
            KBuilder.Multiply(_task, team.RowsPerBlock), KBuilder.Divide(_thread, team.Width)));
        if (_form.Rows is { IsStatic: true } known && known.Value % team.RowsPerBlock == 0)
        {
            EmitRow(team, row, null, place, place, null);
            return count;
        }
        KExpr isThere = _b.Let("is_there", KBuilder.Less(row, rows));
        if (team.Width == KThreads.WarpSize)
        {
            // A whole warp goes or stays.
            _b.If(isThere, () => EmitRow(team, row, null, place, place, null));
            return count;
        }
        row = _b.Let("row", KBuilder.Minimum(row, KBuilder.Subtract(rows, 1)));
        EmitRow(team, row, isThere, place, place, null);
        return count;
    }

    private void EmitRow(RowTeam team, KExpr row, KExpr? isThere, KExpr first, KExpr place, KExpr? warp) => _emitter.InScope(() =>
    {
        BindRowAndHoist(row);
        var results = new List<(ScalarExpr Result, KExpr Value)>();
        KExpr? mask = Mask(team, first, isThere);
        _emitter.WithVector(_form.Column, first, team.Lanes, mask, () =>
        {
            for (int level = 1; level <= _form.Levels; level++)
            {
                EmitLevel(team, level, mask, place, warp, results);
            }
            StoreColumns();
        }, step: team.Width);
        if (_form.Roots.All(r => r.HasColumns))
        {
            return;
        }
        results.ForEach(r => _emitter.Bind(r.Result, r.Value));
        KExpr? isFirst = place is KConstant ? null : KBuilder.Call(ScalarOp.Equal, warp is null ? place : _thread, 0);
        isFirst = isFirst is null || isThere is null ? isFirst ?? isThere : KBuilder.Call(ScalarOp.And, isFirst, isThere);
        if (isFirst is null)
        {
            StoreRowResults();
        }
        else
        {
            _b.If(isFirst, () => _emitter.InScope(StoreRowResults));
        }
    });

    private void BindRowAndHoist(KExpr row)
    {
        if (_form.RowGroups.Count > 0)
        {
            _emitter.BindRow(_form.RowGroups, row);
        }
        HoistKnown(0);
    }

    // What does not change along the row is computed once, as soon as the statistics that it is made of are there. Results of the row
    // are left to the thread that writes them, perhaps over what they are made of.
    private void HoistKnown(int level) => _emitter.Hoist(
        [.. _form.Loops.SelectMany(l => l.Elements), .. _form.Roots.Where(r => r.HasColumns).Select(r => r.Element)],
        [_form.Column, .. _form.Loops.Where(l => l.Level > level).SelectMany(l => l.Results)]);

    // Results that have an element for each of the row: all are computed before the first is stored.
    private void StoreColumns() => StoreAll([.. _form.Roots.Where(r => r.HasColumns)]);

    // Results that have one element for a row.
    private void StoreRowResults() => StoreAll([.. _form.Roots.Where(r => !r.HasColumns)]);

    private void StoreAll(RowRoot[] roots)
    {
        KExpr[] values = [.. roots.Select(r => _emitter.EmitLanes(r.Element))];
        for (int i = 0; i < values.Length; i++)
        {
            _emitter.Store(roots[i].Output, roots[i].Store, values[i]);
        }
    }

    // Which of a thread's elements are there. All but the last are there in all threads, and that is written so that it folds.
    private KExpr? Mask(RowTeam team, KExpr first, KExpr? isThere)
    {
        KExpr? mask = null;
        if (team.Warps > 1 && !team.IsFull)
        {
            mask = KBuilder.Less(new KRamp(first, team.Width, team.Lanes), team.Length);
        }
        else if (!team.IsFull)
        {
            long whole = team.Length / team.Width;
            KExpr isLast = KBuilder.Less(first, team.Length - (whole * team.Width));
            mask = team.Lanes == 1 ? isLast : KBuilder.Call(
                ScalarOp.Or, KBuilder.Less(new KRamp(0, 1, team.Lanes), whole), KBuilder.Broadcast(isLast, team.Lanes));
        }
        mask = mask is null || isThere is null ? mask ?? (isThere is null ? null : KBuilder.Broadcast(isThere, team.Lanes))
            : KBuilder.Call(ScalarOp.And, mask, KBuilder.Broadcast(isThere, team.Lanes));
        return mask is null ? null : _b.Let("mask", mask);
    }

    private void EmitLevel(
        RowTeam team, int level, KExpr? mask, KExpr place, KExpr? warp, List<(ScalarExpr Result, KExpr Value)> results)
    {
        RowLoop[] loops = [.. _form.Loops.Where(l => l.Level == level)];
        KExpr[][] totals = [.. loops.Select(l => JoinInThread(l.Reduction, Elements(l, mask, team.Lanes), team))];
        for (int i = 0; i < loops.Length; i++)
        {
            totals[i] = JoinAcrossLanes(loops[i].Reduction, totals[i], team.Width);
        }
        if (warp is not null)
        {
            totals = JoinAcrossWarps(loops, totals, Shared(loops, team.Warps), team.Warps, place, warp);
        }
        Finish(loops, totals, results);
    }

    // What the elements of a thread contribute; nothing where they are not there.
    private KExpr[] Elements(RowLoop loop, KExpr? mask, int lanes)
    {
        KExpr[] elements = loop.Reduction.Widen([.. loop.Elements.Select(_emitter.EmitLanes)]);
        return mask is null ? elements
            : [.. elements.Zip(loop.Reduction.Identity(lanes), (e, identity) => _b.Let("element", new KSelect(mask, e, identity)))];
    }

    private void Finish(RowLoop[] loops, KExpr[][] totals, List<(ScalarExpr Result, KExpr Value)>? results)
    {
        for (int i = 0; i < loops.Length; i++)
        {
            KExpr[] finished = loops[i].Reduction.Finish(_emitter, [.. loops[i].Initial.Select(_emitter.Emit)], totals[i]);
            for (int k = 0; k < finished.Length; k++)
            {
                KExpr value = _b.Let("result", finished[k]);
                _emitter.Bind(loops[i].Results[k], value);
                results?.Add((loops[i].Results[k], value));
            }
        }
    }
}
