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
            target.Gpu is null ? OnProcessor() : GpuNodeLowering.Lower(
                name, node, target, isOverwritten, lookups ?? PackedLookups.None, OnProcessor);
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
            FusionOp { Kind: FusionKind.Reduction } when
                LongReductionLowering.TryLower(name, node, target, isOverwritten, lookups) is { } totals => totals,
            FusionOp { Kind: FusionKind.Loop } when
                ConcatenationLowering.TryLower(name, node, target, isOverwritten, lookups) is { } concatenation => concatenation,
            FusionOp => [LoopNestLowering.Lower(name, node, target, isOverwritten, lookups)],
            CompositeOp { Kind: AttentionForm.Kind } => [AttentionLowering.Lower(name, node, target)],
            CompositeOp { Kind: SelectionForm.Kind } => [SelectionLowering.Lower(name, node, target)],
            CompositeOp { Kind: RunningForm.Kind } => [RunningReductionLowering.Lower(name, node, target)],
            ScatterOp => ScatterLowering.Lower(name, node, target, isOverwritten),
            SelectAndScatterOp => SelectAndScatterLowering.Lower(name, node, target),
            SortOp => [SortLowering.Lower(name, node)],
            { HasElementForm: true } => [ElementFusion.Lower(
                name, node, fusion => LoopNestLowering.Lower(name, fusion, target, _ => false, PackedLookups.None))],
            _ => throw new CompilerBugException("lowering", $"no schedule for {node.Op.Name}"),
        };
}
