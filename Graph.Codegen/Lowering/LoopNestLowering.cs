namespace Graphene.Codegen;

/// <summary>
/// Lowers loop and reduction fusions: loops over the dimensions that all results share, and for each result over those it has
/// alone; the innermost contiguous loop runs in vector lanes.
/// </summary>
/// <remarks>
/// <code>
/// softmax over [rows, columns]:     for row in task            rows are the tasks
///                                       m = max over columns   in reduction lanes
///                                       s = sum over columns   in reduction lanes
///                                       for column by lanes    vector loop with a masked tail
/// </code>
/// Sums over the last dimension run in lanes along it; sums over others run in lanes across the last dimension that is kept.
/// Dimensions that no reduction depends on are walked innermost, so that each reduction is computed once.
/// </remarks>
public sealed partial class LoopNestLowering
{
    private readonly KernelTarget _target;
    private readonly FusionSource _source;
    private readonly KBuilder _b = new();
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private readonly LoopNest _nest;
    private readonly IReadOnlyList<LoopRoot> _roots;

    private LoopNestLowering(FusionSource source, UpdatedBox? box, KernelTarget target)
    {
        _source = source;
        _nest = new LoopNest(source, box, _analysis, takesPieces: target.Gpu is null);
        _roots = _nest.Roots;
        _target = target;
        _emitter = new ExprEmitter(_b, _analysis, source.Source) { Target = target };
    }

    /// <summary>Lowers a fusion of any kind by its element forms.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    internal static LoweredKernel Lower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        var arguments = new KernelArguments();
        var source = new FusionSource(fusion, arguments, isOverwritten, lookups: lookups);
        return new LoopNestLowering(source, UpdatedBox.TryFind(source, isOverwritten), target).Run(name, fusion);
    }

    private LoweredKernel Run(string name, Node fusion)
    {
        var task = new KVariable("task", KType.Index);
        LoopPlan plan = _nest.Plan();
        MarkStreamed(plan);
        KeepElements(plan);
        KExpr taskCount = TryEmitTransposed(plan, task) ?? TryEmitInterleaved(plan, task) ?? TryEmitWindows(plan, task)
            ?? (plan.Outer.Count == 0 ? EmitChunks(plan, task) : EmitRows(plan, task));
        var kernel = new Kernel(name, _source.Arguments.Buffers, task, taskCount, _b.ToBlock(), _nest.Cost(fusion));
        return new LoweredKernel(kernel, _source.Arguments.Operands);
    }

    // One loop over everything: tasks are chunks of it.
    private KExpr EmitChunks(LoopPlan plan, KVariable task)
    {
        if (plan.Inner is null)
        {
            _emitter.Hoist(_nest.Elements, [.. _roots.SelectMany(r => r.Own)]);
            EmitRoots(plan);
            return 1;
        }
        int lanes = VectorLanes();
        if (_nest.Loops.Any(loop => !_nest.DependsOn(loop, plan.Inner.Last)))
        {
            // What all elements share would be reduced again by each task, from memory that another may have written over.
            EmitVectorLoop(plan, plan.Inner, 0, KBuilder.Value(plan.Inner.Extent), lanes, _roots);
            return 1;
        }
        long chunk = ElementsPerChunk(lanes * VectorsAtOnce(plan));
        KExpr extent = KBuilder.Value(plan.Inner.Extent);
        KExpr begin = _b.Let("begin", KBuilder.Multiply(task, chunk));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, chunk), extent));
        KExpr taskCount = KBuilder.CeilDiv(extent, chunk);
        if (taskCount is KConstant { Value: var one } && one.AsInteger == 1)
        {
            (begin, end) = (0, extent);
        }
        EmitVectorLoop(plan, plan.Inner, begin, end, lanes, _roots);
        return taskCount;
    }

    // Outer loops flattened into rows: tasks are groups of rows.
    private KExpr EmitRows(LoopPlan plan, KVariable task)
    {
        KExpr rows = _b.Let("rows", KBuilder.Value(plan.Outer.Aggregate((Dim)1, (n, g) => n * g.Extent)));
        Dim perRow = WorkPerRow(plan);
        KExpr rowsPerTask = perRow.IsStatic
            ? RowsOf(Math.Max(1, ElementsPerTask / Math.Max(1, perRow.Value)))
            : KBuilder.Maximum(1, KBuilder.Divide(ElementsPerTask, KBuilder.Maximum(1, KBuilder.Value(perRow))));
        KExpr begin = _b.Let("begin", KBuilder.Multiply(task, rowsPerTask));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, rowsPerTask), rows));
        _b.For("row", begin, end, 1, row => _emitter.InScope(() =>
        {
            _emitter.BindRow(plan.Outer, row);
            IEnumerable<ScalarExpr> inner = plan.Inner is null
                ? _roots.SelectMany(r => r.Own)
                : plan.Serial.Append(plan.Inner).SelectMany(g => g.Members);
            _emitter.Hoist(_nest.Elements, [.. inner]);
            if (plan.Inner is null)
            {
                EmitRoots(plan);
            }
            else
            {
                EmitVectorLoop(plan, plan.Inner, 0, KBuilder.Value(plan.Inner.Extent), VectorLanes(), _roots);
            }
        }));
        return TaskCount(plan, rowsPerTask);
    }

    // Task counts may only use symbols, so they are built without names.
    private static KExpr TaskCount(LoopPlan plan, KExpr rowsPerTask)
    {
        KExpr rows = KBuilder.Value(plan.Outer.Aggregate((Dim)1, (n, g) => n * g.Extent));
        return KBuilder.Divide(KBuilder.Add(rows, KBuilder.Subtract(rowsPerTask, 1)), rowsPerTask);
    }

    private static Dim OwnCount(LoopRoot root) => root.Own.Aggregate((Dim)1, (n, v) => n * v.Extent);

    // Elements that are computed or reduced for one row.
    private Dim WorkPerRow(LoopPlan plan)
    {
        Dim elements = plan.Inner is null
            ? _roots.Aggregate((Dim)0, (n, r) => n + OwnCount(r))
            : plan.Serial.Append(plan.Inner).Aggregate((Dim)1, (n, g) => n * g.Extent);
        foreach (LoopExpr loop in _nest.Loops)
        {
            Dim length = loop.Variables.Aggregate((Dim)1, (n, v) => n * v.Extent);
            elements += plan.Inner is not null && _nest.DependsOn(loop, plan.Inner.Last) ? length * plan.Inner.Extent : length;
        }
        return elements;
    }

    // The results' own dimensions, each result by itself.
    private void EmitRoots(LoopPlan plan)
    {
        foreach (LoopRoot root in _roots)
        {
            if (root.Own.Count == 0)
            {
                _emitter.InScope(() => Store(root));
                continue;
            }
            List<LoopGroup> groups = plan.Merging.Merge(root.Own);
            EmitOwn(root, groups, 0);
        }
    }

    private void EmitOwn(LoopRoot root, List<LoopGroup> groups, int depth)
    {
        if (depth == groups.Count - 1)
        {
            EmitVectorLoop(null, groups[depth], 0, KBuilder.Value(groups[depth].Extent), VectorLanes(), [root]);
            return;
        }
        _b.For("i", 0, KBuilder.Value(groups[depth].Extent), 1, counter => _emitter.InScope(() =>
        {
            _emitter.BindGroup(groups[depth], counter);
            EmitOwn(root, groups, depth + 1);
        }));
    }

    private void EmitVectorLoop(LoopPlan? plan, LoopGroup group, KExpr begin, KExpr end, int lanes, IReadOnlyList<LoopRoot> roots)
    {
        IReadOnlyList<LoopGroup> serial = plan?.Serial ?? [];
        void Body()
        {
            EmitPrefetches(group);
            _kept.ForEach(k => _emitter.BindKept(k.Again, k.Buffer, k.At));
            EmitSerial(serial, 0, roots);
        }

        _emitter.InScope(() =>
        {
            foreach (IndexVariable member in group.Members.SkipLast(1))
            {
                _emitter.Bind(member, 0);
            }
            _emitter.Hoist(roots.Select(r => r.Element), [.. serial.Append(group).SelectMany(g => g.Members)]);
            if (lanes == 1)
            {
                _b.For("i", begin, end, 1, i => _emitter.WithVector(group.Last, i, 1, null, Body));
                return;
            }
            int several = lanes * (plan is null ? 1 : VectorsAtOnce(plan));
            if (plan is not null && IsPipelined(plan) && Round()?.TryWrite(_b, begin, end, lanes) is { } rest)
            {
                begin = rest;
            }
            else if (several > lanes)
            {
                begin = EmitWhole(begin, several);
            }
            KExpr whole = EmitWhole(begin, lanes);
            _emitter.EmitTail(end, whole, lanes, mask => _emitter.WithVector(group.Last, whole, lanes, mask, Body));
        });

        PipelinedLoop? Round()
        {
            var i = new KVariable("i", KType.Index);
            return PipelinedLoop.TryPlan(i, _b.Block(() => _emitter.WithVector(group.Last, i, lanes, null, Body)), _target.HasFma);
        }

        KExpr EmitWhole(KExpr from, int step)
        {
            KExpr to = _b.Let("whole", KBuilder.Add(from, KBuilder.Multiply(KBuilder.Divide(KBuilder.Subtract(end, from), step), step)));
            _b.For("i", from, to, step, i => _emitter.WithVector(group.Last, i, step, null, Body));
            return to;
        }
    }

    // Dimensions that no reduction depends on, inside of those that some does.
    private void EmitSerial(IReadOnlyList<LoopGroup> serial, int depth, IReadOnlyList<LoopRoot> roots)
    {
        if (depth == serial.Count)
        {
            StoreAll(roots);
            return;
        }
        if (depth == 0)
        {
            _emitter.Hoist(roots.Select(r => r.Element), [.. serial.SelectMany(g => g.Members)]);
        }
        _b.For("i", 0, KBuilder.Value(serial[depth].Extent), 1, counter => _emitter.InScope(() =>
        {
            _emitter.BindGroup(serial[depth], counter);
            EmitSerial(serial, depth + 1, roots);
        }));
    }

    private void StoreAll(IReadOnlyList<LoopRoot> roots)
    {
        KExpr[] values = [.. roots.Select(r => _emitter.EmitLanes(r.Element))];
        for (int i = 0; i < values.Length; i++)
        {
            StoreValue(roots[i], values[i]);
        }
    }

    private void Store(LoopRoot root) => StoreValue(root, _emitter.EmitLanes(root.Element));

    private void StoreValue(LoopRoot root, KExpr value)
    {
        if (_streamedWhen.TryGetValue(root.Output, out KExpr? isLarge))
        {
            _emitter.StoreAround(root.Output, root.Store, value, isLarge);
        }
        else
        {
            _emitter.Store(root.Output, root.Store, value, _streamed.Contains(root.Output));
        }
    }

    // As many lanes as fill a register with the widest element that is loaded or stored.
    private int VectorLanes()
    {
        int widest = _source.Body.Parameters.Select(p => p.DType).Concat(_source.Body.Results.Select(r => r.DType))
            .Max(t => Math.Max(4, t.SizeInBytes()));
        return _target.VectorBits / (8 * widest);
    }
}
