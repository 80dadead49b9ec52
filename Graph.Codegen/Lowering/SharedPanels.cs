namespace Graphene.Codegen;

/// <summary>The machines that read the same packed constants: those of one artifact's variants.</summary>
/// <remarks>
/// Each machine alone would pack a matrix into panels as wide as its own register tiles. Of several, the one with the widest vectors
/// decides how many columns a panel has, and the one with the fewest registers how many features a panel of a convolution has; the
/// tiles of all others divide a panel evenly. What its caches are is part of the answer, so they are those of a described machine,
/// never of the one that compiles.
/// </remarks>
/// <param name="Widest">Decides columns.</param>
/// <param name="Narrowest">Decides features.</param>
/// <param name="Dots">The instructions for narrow elements that all have.</param>
public sealed record SharedPanels(KernelTarget Widest, KernelTarget Narrowest, DotInstructions Dots)
{
    /// <summary>What is common to some machines.</summary>
    /// <param name="machines">At least one.</param>
    internal static SharedPanels Of(IReadOnlyList<KernelTarget> machines)
    {
        DotInstructions common = machines.Aggregate((DotInstructions)~0, (all, m) => all & m.Dots);
        return new SharedPanels(
            machines.MaxBy(m => m.VectorBits)! with { Dots = common },
            machines.MinBy(m => m.VectorRegisters)! with { Dots = common },
            common);
    }
}
