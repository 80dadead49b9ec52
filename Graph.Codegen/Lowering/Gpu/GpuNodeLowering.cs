using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>
/// Chooses the schedule of a node for a GPU: one file each for what has one of its own, a thread per
/// task for everything else.
/// </summary>
internal static class GpuNodeLowering
{
    /// <summary>The kernels that compute a node, in order.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="node">A fusion, or an op that is never fused.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    /// <param name="lowerForTasks">The schedule for tasks of one thread.</param>
    public static IReadOnlyList<LoweredKernel> Lower(
        string name, Node node, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups,
        Func<IReadOnlyList<LoweredKernel>> lowerForTasks) =>
        node.Op switch
        {
            FusionOp { Kind: FusionKind.Loop or FusionKind.Reduction } when
                GpuFusionLowering.TryLower(name, node, target, isOverwritten, lookups) is { } kernels => kernels,
            FusionOp { Kind: FusionKind.Dot } when
                GpuProductLowering.TryLowerDot(name, node, target.Gpu!, isOverwritten) is { } dot => dot,
            FusionOp { Kind: FusionKind.Convolution } when
                GpuProductLowering.TryLowerConvolution(name, node, target.Gpu!, isOverwritten) is { } convolution => convolution,
            CompositeOp { Kind: AttentionForm.Kind } when GpuAttentionLowering.TryLower(name, node, target) is { } attention => attention,
            ScatterOp when GpuScatterLowering.TryLower(name, node, target, isOverwritten) is { } scatter => scatter,
            SelectAndScatterOp => [GpuSelectAndScatterLowering.Lower(name, node)],
            SortOp => GpuSortLowering.Lower(name, node),
            RngBitGeneratorOp => [GpuRandomLowering.Lower(name, node)],
            { HasElementForm: true } and not FusionOp when ElementFusion.Lower(
                name, node, fusion => GpuFusionLowering.TryLower(name, fusion, target, _ => false, lookups)) is { } kernels => kernels,
            _ => [.. lowerForTasks().Select(ThreadPerTask.Of)],
        };
}
