namespace Graphene.Codegen;

/// <summary>Lowers loop fusions, and reductions that need no threads together: each thread computes a few vectors of elements.</summary>
/// <remarks>
/// <code>
/// task: a block of 256 threads                     V lanes, U vectors
///   vector q = (task U + u) 256 + thread           neighbours in a warp take neighbours in memory
///   row, column = q / (columns / V), q % (columns / V)
///   for all u:  values = f(operands[row][V column ..])     every load before the first store
///   for all u:  results[row][V column ..] = values
/// </code>
/// Bound: memory. An elementwise fusion moves each operand and each result once, at 4.8 TB/s; its arithmetic is free below some 14 f32
/// operations a byte. What is the same for all elements is loaded once per thread, what is the same for a row through the first cache.
/// <para>
/// Neighbouring dimensions that memory has together are one (<see cref="LoopMerging"/>), so most fusions have no rows and divide nothing.
/// Where they have, a vector divides once, or a block does when it lies in one row. Quotients of the innermost counter are those of a
/// vector (<see cref="LaneForms"/>).
/// </para>
/// <para>
/// A reduction across rows runs here where there are columns enough for threads: lanes are columns, the order is the processor's. Then
/// dimensions that no reduction depends on are loops of the thread, inside.
/// </para>
/// Results of different shapes are sections of the tasks, side by side.
/// </remarks>
internal sealed partial class GpuLoopLowering
{
    private const int MostThreads = 256;
    private const int MostSections = 16;

    // More expressions than this are not repeated for several vectors.
    private const int FewExpressions = 100;

    // A result larger than half of the second cache is not there when it is read again.
    private const long StreamedBytes = 24 << 20;

    private readonly GpuTarget _gpu;
    private readonly FusionSource _source;
    private readonly KBuilder _b = new() { Multiples = new KIndexMultiples() };
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private readonly LoopNest _nest;
    private readonly KVariable _task = new("task", KType.Index);
    private readonly KVariable _thread = new("thread", KType.Index);
    private int _threads = MostThreads;

    private GpuLoopLowering(FusionSource source, UpdatedBox? box, KernelTarget target)
    {
        _gpu = target.Gpu!;
        _source = source;
        _emitter = new ExprEmitter(_b, _analysis, source.Source) { Target = target };
        _nest = new LoopNest(source, box, _analysis);
    }

    /// <summary>The kernel, or null when the fusion needs threads that work together.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static LoweredKernel? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        var source = new FusionSource(fusion, new KernelArguments(), isOverwritten, lookups: lookups);
        return new GpuLoopLowering(source, UpdatedBox.TryFind(source, isOverwritten), target).TryRun(name, fusion);
    }

    private LoweredKernel? TryRun(string name, Node fusion)
    {
        if (TrySections() is not { } sections)
        {
            return null;
        }
        _threads = sections.All(IsSmall) ? MostThreads / 2 : MostThreads;
        KExpr[] counts = [.. sections.Select(TaskCount)];
        EmitSections(sections, counts, 0, _task);
        KExpr count = counts.Aggregate(KBuilder.Add);
        var kernel = new Kernel(name, _source.Arguments.Buffers, _task, count, _b.ToBlock(), _nest.Cost(fusion))
        {
            Threads = new KThreads(_thread, _threads) { TasksPerMultiprocessor = GpuTarget.TasksOf(_threads) },
        };
        return new LoweredKernel(kernel, _source.Arguments.Operands);
    }

    private List<GpuSection>? TrySections()
    {
        LoopPlan plan = _nest.Plan();
        if (plan.Inner is { } inner)
        {
            bool repeats = _nest.Loops.Any(loop => plan.Outer.Append(inner).SelectMany(g => g.Members).Any(v => !_nest.DependsOn(loop, v)));
            return repeats ? null : [Shape(_nest.Roots, [.. plan.Outer, inner], plan.Serial)];
        }
        bool isSplit = _nest.Roots.Any(r => r.Own.Count > 0);
        if ((_nest.Loops.Any() && (isSplit || _nest.Shared.Count > 0)) || _nest.Roots.Count > MostSections)
        {
            return null;
        }
        if (!isSplit)
        {
            return [Shape(_nest.Roots, [], [])];
        }
        // Sections run side by side: what one writes no other may read.
        return _source.WritesOverOperand ? null
            : [.. _nest.Roots.Select(r => Shape([r], plan.Merging.Merge([.. _nest.Shared, .. r.Own]), []))];
    }

    private void EmitSections(IReadOnlyList<GpuSection> sections, KExpr[] counts, int at, KExpr task)
    {
        if (at == sections.Count - 1)
        {
            _emitter.InScope(() => EmitSection(sections[at], task));
            return;
        }
        _b.If(
            KBuilder.Less(task, counts[at]),
            () => _emitter.InScope(() => EmitSection(sections[at], task)),
            () => EmitSections(sections, counts, at + 1, _b.Let("task", KBuilder.Subtract(task, counts[at]))));
    }

    private KExpr TaskCount(GpuSection section)
    {
        if (section.IsByRow)
        {
            long perRow = DimMath.CeilDiv(section.VectorsPerRow.Value, (long)_threads * section.Several);
            return KBuilder.Multiply(KBuilder.Value(section.Rows), perRow);
        }
        return KBuilder.CeilDiv(KBuilder.Value(section.Vectors), (long)_threads * section.Several);
    }

    private void EmitSection(GpuSection section, KExpr task)
    {
        if (section.Inner is null)
        {
            // One thread, which reads what it may write over.
            KExpr isFirst = KBuilder.Call(ScalarOp.Equal, KBuilder.Add(task, _thread), 0);
            _b.If(isFirst, () => _emitter.InScope(() => StoreAll(section, () => { })));
            return;
        }
        ScalarExpr[] elements = [.. section.Roots.Select(r => r.Element)];
        _emitter.Hoist(elements, [.. section.Groups.Concat(section.Serial).SelectMany(g => g.Members)]);
        KExpr limit;
        if (section.IsByRow)
        {
            // Blocks of a row: the row's own are found once.
            long perRow = DimMath.CeilDiv(section.VectorsPerRow.Value, (long)_threads * section.Several);
            _emitter.BindRow([.. section.Groups.SkipLast(1)], _b.Let("row", KBuilder.Divide(task, perRow)));
            _emitter.Hoist(elements, [.. section.Inner.Members.Concat(section.Serial.SelectMany(g => g.Members))]);
            task = _b.Let("block", KBuilder.Remainder(task, perRow));
            limit = section.VectorsPerRow.Value;
        }
        else
        {
            limit = _b.Let("vectors", KBuilder.Value(section.WholeVectors));
        }
        long step = (long)_threads * section.Several;
        KExpr first = _b.Let("vector", KBuilder.Add(KBuilder.Multiply(task, step), _thread));
        bool isFull = limit is KConstant { Value: var n } && n.AsInteger % step == 0;
        if (isFull && !section.HasTail)
        {
            EmitVectors(section, first, section.Several);
            return;
        }
        KExpr last = section.Several == 1 ? first : _b.Let("last", KBuilder.Add(first, step - _threads));
        _b.If(
            KBuilder.Less(last, limit), () => _emitter.InScope(() => EmitVectors(section, first, section.Several)),
            section is { Several: 1, HasTail: false } ? null : () => EmitRest(section, first, limit, step));
    }

    // Some of a thread's vectors are not there, or one of them not completely.
    private void EmitRest(GpuSection section, KExpr first, KExpr limit, long step)
    {
        if (section.Several > 1)
        {
            KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(first, step), limit));
            _b.For("vector", first, end, _threads, q => _emitter.InScope(() => EmitVectors(section, q, 1)));
        }
        if (!section.HasTail)
        {
            return;
        }
        // The thread whose vector would be the next one takes what is left, element by element.
        KExpr isNext = KBuilder.Call(ScalarOp.Equal, KBuilder.Remainder(limit, _threads), _thread);
        KExpr isHere = KBuilder.Less(KBuilder.Subtract(limit, first), step);
        _b.If(KBuilder.Call(ScalarOp.And, isNext, isHere), () =>
        {
            KExpr begin = _b.Let("begin", KBuilder.Multiply(limit, section.Lanes));
            KExpr end = KBuilder.Value(section.Inner!.Extent);
            _b.For("i", begin, end, 1, i => _emitter.InScope(() => EmitElements(section with { Lanes = 1 }, i, () => { })));
        });
    }

    // Vectors that are a block's threads apart: all are computed before the first is stored.
    private void EmitVectors(GpuSection section, KExpr vector, int count)
    {
        if (count == 0)
        {
            return;
        }
        _emitter.InScope(() =>
        {
            KExpr column = vector;
            if (section.Groups.Count > 1 && !section.IsByRow)
            {
                KExpr perRow = KBuilder.Value(section.VectorsPerRow);
                column = _b.Let("column", KBuilder.Remainder(vector, perRow));
                _emitter.BindRow([.. section.Groups.SkipLast(1)], _b.Let("row", KBuilder.Divide(vector, perRow)));
            }
            KExpr first = _b.Let("first", KBuilder.Multiply(column, section.Lanes));
            EmitElements(section, first, () =>
            {
                if (count > 1)
                {
                    EmitVectors(section, _b.Let("vector", KBuilder.Add(vector, _threads)), count - 1);
                }
            });
        });
    }

    private void EmitElements(GpuSection section, KExpr first, Action others)
    {
        if (section.Inner is not { } inner)
        {
            StoreAll(section, others);
            return;
        }
        foreach (IndexVariable member in inner.Members.SkipLast(1))
        {
            _emitter.Bind(member, 0);
        }
        LaneForms? forms = section.Lanes > 1 ? section.Forms : null;
        _emitter.WithVector(inner.Last, first, section.Lanes, null, () => EmitSerial(section, 0, others), forms: forms);
    }

    private void EmitSerial(GpuSection section, int depth, Action others)
    {
        if (depth == section.Serial.Count)
        {
            StoreAll(section, others);
            return;
        }
        if (depth == 0)
        {
            _emitter.Hoist(section.Roots.Select(r => r.Element), [.. section.Serial.SelectMany(g => g.Members)]);
        }
        _b.For("i", 0, KBuilder.Value(section.Serial[depth].Extent), 1, counter => _emitter.InScope(() =>
        {
            _emitter.BindGroup(section.Serial[depth], counter);
            EmitSerial(section, depth + 1, others);
        }));
    }

    private void StoreAll(GpuSection section, Action others)
    {
        KExpr[] values = [.. section.Roots.Select(r => _emitter.EmitLanes(r.Element))];
        others();
        for (int i = 0; i < values.Length; i++)
        {
            _emitter.Store(section.Roots[i].Output, section.Roots[i].Store, values[i], IsStreamed(section.Roots[i]));
        }
    }

    private bool IsStreamed(LoopRoot root)
    {
        Dim bytes = _source.Body.Results[_nest.Roots.ToList().IndexOf(root)].Type.SizeInBytes;
        return _nest.Box is null && !_source.WritesOverOperand && bytes is { IsStatic: true, Value: >= StreamedBytes };
    }
}
