namespace Graphene.Codegen;

/// <summary>Chooses the schedule of a loop or reduction fusion for a GPU; each is one file.</summary>
internal static class GpuFusionLowering
{
    /// <summary>The kernels, or null when no schedule fits.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten, PackedLookups lookups) =>
        GpuRowLowering.TryLower(name, fusion, target, isOverwritten, lookups)
            ?? GpuColumnSumLowering.TryLower(name, fusion, target, isOverwritten, lookups)
            ?? One(GpuTransposeLowering.TryLower(name, fusion, target, isOverwritten, lookups))
            ?? One(GpuLoopLowering.TryLower(name, fusion, target, isOverwritten, lookups));

    /// <summary>One kernel for a member of a batch, even where several would do better; null when no schedule fits.</summary>
    /// <param name="name">The kernel's name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine, with its GPU.</param>
    /// <param name="isOverwritten">Tells which operands share memory with a result.</param>
    public static LoweredKernel? TryLowerAsOne(string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten) =>
        GpuRowLowering.TryLowerAsOne(name, fusion, target, isOverwritten, PackedLookups.None)
            ?? GpuLoopLowering.TryLower(name, fusion, target, isOverwritten, PackedLookups.None);

    private static IReadOnlyList<LoweredKernel>? One(LoweredKernel? kernel) => kernel is null ? null : [kernel];
}
