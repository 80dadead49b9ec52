namespace Graphene.Runtime;

/// <summary>Picks the code of a file for the processor of this process, or for a GPU.</summary>
internal static class VariantChoice
{
    /// <summary>The number of the first variant, which is the best, that can run here.</summary>
    /// <param name="index">What there is.</param>
    /// <param name="name">The variant that the caller insists on; null for the best.</param>
    /// <param name="device">The GPU that it is to run on; null for this processor.</param>
    /// <exception cref="GraphException">GR6103, for a GPU GR6504: none can, for these reasons.</exception>
    public static int Choose(FileIndex index, string? name, GpuDevice? device = null)
    {
        string reasons = "";
        bool isOtherKind = true;
        for (int i = 0; i < index.Variants.Length; i++)
        {
            FileVariant variant = index.Variants[i];
            if (name is not null && name != variant.Name)
            {
                continue;
            }
            if (WhyNot(variant, device) is not { } reason)
            {
                return i;
            }
            isOtherKind &= IsForGpu(variant) == device is null;
            string prefix = index.Variants.Length == 1 ? "" : $"{variant.Name}: ";
            reasons += reasons.Length == 0 ? prefix + reason : $"; {prefix}{reason}";
        }
        throw Nothing(index, name, device, reasons, isOtherKind);
    }

    /// <summary>Why a variant cannot run here; null when it can.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="device">The GPU that it is to run on; null for this processor.</param>
    public static string? WhyNot(FileVariant variant, GpuDevice? device)
    {
        if (IsForGpu(variant))
        {
            return device is null
                ? $"its code is for GPUs ({variant.CpuFeatures}), this is a processor"
                : device.WhyNot(variant.CpuFeatures);
        }
        return device is null
            ? ProcessorFit.WhyNot(variant.TargetTriple, variant.CpuFeatures)
            : $"its code is for {variant.TargetTriple.Split('-')[0]}";
    }

    private static bool IsForGpu(FileVariant variant) => variant.TargetTriple == GpuPlan.Triple;

    private static GraphException Nothing(FileIndex index, string? name, GpuDevice? device, string reasons, bool isOtherKind)
    {
        if (reasons.Length == 0)
        {
            reasons = $"there is no variant '{name}', only {string.Join(", ", index.Variants.Select(v => v.Name))}";
            isOtherKind = false;
        }
        return device is not null ? GpuProgram.CannotRun(index.Name, device, reasons)
            : ProcessorFit.Error(
                index.Name, reasons,
                isOtherKind ? "load it for a GPU (CompiledGraphOptions.Gpu), or compile it for this processor, too" : null);
    }
}
