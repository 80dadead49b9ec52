namespace Graphene.Runtime;

/// <summary>Picks the code of a file for the processor of this process.</summary>
internal static class VariantChoice
{
    /// <summary>The number of the first variant, which is the best, that can run here.</summary>
    /// <param name="index">What there is.</param>
    /// <param name="name">The variant that the caller insists on; null for the best.</param>
    /// <exception cref="GraphException">GR6103: none can, for these reasons.</exception>
    public static int Choose(FileIndex index, string? name)
    {
        string reasons = "";
        for (int i = 0; i < index.Variants.Length; i++)
        {
            FileVariant variant = index.Variants[i];
            if (name is not null && name != variant.Name)
            {
                continue;
            }
            if (ProcessorFit.WhyNot(variant.TargetTriple, variant.CpuFeatures) is not { } reason)
            {
                return i;
            }
            string prefix = index.Variants.Length == 1 ? "" : $"{variant.Name}: ";
            reasons += reasons.Length == 0 ? prefix + reason : $"; {prefix}{reason}";
        }
        throw Nothing(index, name, reasons);
    }

    private static GraphException Nothing(FileIndex index, string? name, string reasons) => ProcessorFit.Error(
        index.Name, reasons.Length > 0 ? reasons : $"there is no variant '{name}', only {string.Join(", ", index.Variants.Select(v => v.Name))}");
}
