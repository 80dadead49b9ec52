using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>Chooses the schedule of a node: one file each for what has one of its own, element forms for everything else.</summary>
public static class NodeLowering
{
    /// <summary>The kernels that compute a node, in order; each is verified.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="node">A fusion, or an op that is never fused.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only; null for none.</param>
    /// <exception cref="CompilerBugException">The op has no lowering: it should have been expanded or refused before, or its lowering wrote
    /// a malformed kernel.</exception>
    internal static IReadOnlyList<LoweredKernel> Lower(
        string name, Node node, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups? lookups = null)
    {
        IReadOnlyList<LoweredKernel> OnProcessor() => Choose(name, node, target, isOverwritten, lookups ?? PackedLookups.None);
        IReadOnlyList<LoweredKernel> kernels =
            target.Gpu is null ? OnProcessor() : GpuNodeLowering.Lower(name, node, target, isOverwritten, OnProcessor);
        foreach (Kernel kernel in kernels.Select(k => k.Kernel).Distinct(ReferenceEqualityComparer.Instance).Cast<Kernel>())
        {
            KernelVerifier.Verify(kernel);
        }
        return kernels;
    }

    private static IReadOnlyList<LoweredKernel> Choose(
        string name, Node node, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups) =>
        node.Op switch
        {
            FusionOp { Kind: FusionKind.Dot } when DotLowering.TryLower(name, node, target, isOverwritten) is { } dot => dot,
            FusionOp { Kind: FusionKind.Convolution } when
                ConvolutionLowering.TryLower(name, node, target, isOverwritten) is { } convolution => convolution,
            FusionOp { Kind: FusionKind.Batch } => new BatchLowering(target).Lower(node, isOverwritten),
            FusionOp { Kind: FusionKind.Reduction } when
                ColumnSumLowering.TryLower(name, node, target, isOverwritten, lookups) is { } sums => sums,
            FusionOp => [LoopNestLowering.Lower(name, node, target, isOverwritten, lookups)],
            CompositeOp { Kind: AttentionForm.Kind } => [AttentionLowering.Lower(name, node, target)],
            ScatterOp => ScatterLowering.Lower(name, node, target, isOverwritten),
            SelectAndScatterOp => SelectAndScatterLowering.Lower(name, node, target),
            SortOp => [SortLowering.Lower(name, node)],
            { HasElementForm: true } => [LowerElements(name, node, target)],
            _ => throw new CompilerBugException("lowering", $"no schedule for {node.Op.Name}"),
        };

    // An op that the optimizer never fuses, as a fusion of its own.
    private static LoweredKernel LowerElements(string name, Node node, KernelTarget target)
    {
        Node fusion = AsFusion(name, node);
        return LoopNestLowering.Lower(name, fusion, target, _ => false, PackedLookups.None).With(fusion, node);
    }

    /// <summary>A fusion of one op.</summary>
    internal static Node AsFusion(string name, Node node)
    {
        var b = new GraphBuilder();
        Node[] parameters = [.. node.Operands.Select((o, i) => b.Parameter(i, o.Type))];
        Computation body = b.Build(name, b.Results(b.Add(node.Op, parameters)));
        return new GraphBuilder().Add(new FusionOp(FusionKind.Loop, body), node.Operands);
    }
}
