namespace Graphene.Codegen;

/// <summary>The machines that read the same packed constants: those of one artifact's variants.</summary>
/// <remarks>
/// Each machine alone would pack a matrix into panels as wide as its own register tiles. Of several, one in the middle decides how many
/// columns a panel has: tiles of narrower machines take a part of a panel, those of wider ones several panels. The one with
/// the fewest registers decides how many features a panel of a convolution has. What its caches are is part of the answer, so they are
/// those of a described machine, never of the one that compiles.
/// </remarks>
/// <param name="Columns">Decides columns.</param>
/// <param name="Features">Decides features.</param>
/// <param name="WidestBits">The widest vectors of all; none lies in two panels.</param>
/// <param name="Dots">The instructions for narrow elements that all have.</param>
public sealed record SharedPanels(KernelTarget Columns, KernelTarget Features, int WidestBits, DotInstructions Dots)
{
    /// <summary>What is common to some machines.</summary>
    /// <param name="machines">At least one, from the plainest to the most capable.</param>
    internal static SharedPanels Of(IReadOnlyList<KernelTarget> machines)
    {
        DotInstructions common = machines.Aggregate((DotInstructions)~0, (all, m) => all & m.Dots);
        return new SharedPanels(
            machines[machines.Count / 2] with { Dots = common },
            machines.MinBy(m => m.VectorRegisters)! with { Dots = common },
            machines.Max(m => m.VectorBits),
            common);
    }
}
