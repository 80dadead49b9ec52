namespace Graphene.Codegen;

/// <summary>Lowers reductions of whole tensors to one number, several of the same tensor too: losses, norms, means.</summary>
/// <remarks>
/// <code>
/// kernel 1, a task for each segment of 32768 elements:     kernel 2, one task:
///   part[segment] = elements of the segment,                 total = combine(total, part[segment]), segments in order
///                   in 32 lanes, joined by a tree            results = f(combine(initial, total))
/// </code>
/// That is the order in which <see cref="ExprEmitter"/> reduces so many consecutive elements anyway, so the bits are those of
/// <see cref="LoopNestLowering"/> and no thread count changes them.
/// </remarks>
internal sealed class LongReductionLowering
{
    // Fewer segments than this are over before another thread has come.
    private const long FewestSegments = 4;

    private readonly FusionSource _source;
    private readonly KBuilder _b = new();
    private readonly ExprAnalysis _analysis = new();
    private readonly ExprEmitter _emitter;
    private readonly LoopNest _nest;
    private readonly List<Part> _parts = [];

    private LongReductionLowering(Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        _source = new FusionSource(fusion, new KernelArguments(), isOverwritten, lookups: lookups);
        _nest = new LoopNest(_source, null, _analysis);
        _emitter = new ExprEmitter(_b, _analysis, _source.Source) { Target = target };
    }

    private long Length => _parts[0].Inner.Extent.Value;

    private long Segments => (Length + ExprEmitter.SegmentLength - 1) / ExprEmitter.SegmentLength;

    /// <summary>The two kernels, or null when the fusion needs another schedule.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups)
    {
        if (fusion.Types.Any(t => t.Shape.ElementCount != 1))
        {
            return null;
        }
        // Each kernel has arguments, and so expressions, of its own.
        var segments = new LongReductionLowering(fusion, target, isOverwritten, lookups);
        if (!segments.TryRead())
        {
            return null;
        }
        var join = new LongReductionLowering(fusion, target, isOverwritten, lookups);
        join.TryRead();
        var workspace = new KernelOperand.Workspace(
            segments._parts.Sum(p => segments.Segments * p.Function.Identity.DType.SizeInBytes()));
        return [segments.ReduceSegments(name + "_segments", fusion, workspace), join.Join(name, workspace)];
    }

    // Every reduction goes over the same number of consecutive elements, and needs none of the others for them.
    private bool TryRead()
    {
        foreach (LoopResultExpr result in _nest.Expressions.OfType<LoopResultExpr>())
        {
            if (result.Loop is not { Combine: not null, Elements: [var element], Variables.Count: > 0 } loop ||
                ReductionFunction.Of(loop) is not { } function ||
                ExprAnalysis.All([element, .. loop.Initial]).Any(e => e is LoopResultExpr or GuardExpr))
            {
                return false;
            }
            var merging = new LoopMerging(_analysis, [element], []);
            if (merging.Merge(loop.Variables) is not [var inner] || inner.Extent is not { IsStatic: true } ||
                !merging.Accesses.Any(a => a[inner.Last] == 1))
            {
                return false;
            }
            _parts.Add(new Part(result, element, function, inner));
        }
        bool isOneLength = _parts.Count > 0 && _parts.TrueForAll(
            p => p.Inner.Extent == _parts[0].Inner.Extent && p.Function.Identity.DType == _parts[0].Function.Identity.DType);
        return isOneLength && Segments >= FewestSegments;
    }

    private LoweredKernel ReduceSegments(string name, Node fusion, KernelOperand.Workspace workspace)
    {
        KBuffer parts = _source.Arguments.Output("parts", _parts[0].Function.Identity.DType, workspace);
        var task = new KVariable("task", KType.Index);
        KExpr begin = _b.Let("begin", KBuilder.Multiply(task, ExprEmitter.SegmentLength));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, ExprEmitter.SegmentLength), Length));
        for (int i = 0; i < _parts.Count; i++)
        {
            Part part = _parts[i];
            _emitter.InScope(() =>
            {
                _emitter.Hoist([part.Element], part.Result.Loop.Variables);
                _b.Store(parts, Place(i, task), _emitter.EmitSegment(part.Inner, part.Element, part.Function, begin, end));
            });
        }
        return ToKernel(name, task, Segments, _nest.Cost(fusion) with { Flops = Length * _parts.Count });
    }

    private LoweredKernel Join(string name, KernelOperand.Workspace workspace)
    {
        KBuffer parts = _source.Arguments.Input("parts", _parts[0].Function.Identity.DType, workspace);
        for (int i = 0; i < _parts.Count; i++)
        {
            (LoopResultExpr result, _, ReductionFunction function, _) = _parts[i];
            int number = i;
            KRegister total = _b.Declare("total", new KConstant(function.Identity, 1));
            _b.For("segment", 0, Segments, 1, segment => _b.Assign(
                total, KBuilder.Call(function.Op, new KRead(total), new KLoad(parts, Place(number, segment)))));
            KExpr initial = _emitter.Emit(result.Loop.Initial[0]);
            _emitter.Bind(result, _b.Let("result", ExprEmitter.EmitCall(function.Op, [initial, function.Round(new KRead(total))])));
        }
        foreach (LoopRoot root in _nest.Roots)
        {
            _emitter.Store(root.Output, root.Store, _emitter.EmitLanes(root.Element));
        }
        return ToKernel(name, new KVariable("task", KType.Index), 1, new KernelCost(Segments * _parts.Count, workspace.SizeInBytes));
    }

    private KExpr Place(int part, KExpr segment) => KBuilder.Add(segment, part * Segments);

    private LoweredKernel ToKernel(string name, KVariable task, KExpr taskCount, KernelCost cost) => new(
        new Kernel(name, _source.Arguments.Buffers, task, taskCount, _b.ToBlock(), cost), _source.Arguments.Operands);

    /// <summary>One reduction.</summary>
    /// <param name="Result">The result of its loop.</param>
    /// <param name="Element">What it combines.</param>
    /// <param name="Function">How.</param>
    /// <param name="Inner">The loop.</param>
    private sealed record Part(LoopResultExpr Result, ScalarExpr Element, ReductionFunction Function, LoopGroup Inner);
}
