using System.Globalization;

namespace Graphene.Optimizer;

/// <summary>Computes values again instead of keeping them, until the scratch memory of a run meets a budget.</summary>
/// <remarks>
/// Does nothing without <see cref="OptimizerOptions.ArenaBudgetInBytes"/>. Works on what fusion left, so whatever is computed again is a
/// whole kernel, and on the memory plan itself, so what is promised is what the runtime allocates (workspaces of kernels come on top).
/// In each round the peak is looked at: of the values that wait there for later readers, the one whose bytes cost the least to make
/// again is computed a second time, see <see cref="Recomputation"/>; what does not lower the plan is undone.
/// </remarks>
public sealed class Rematerialization() : GraphPass("rematerialization")
{
    // Each try plans the memory once.
    private const int MostTries = 600;
    private const int ValuesNamed = 5;

    /// <inheritdoc/>
    /// <exception cref="GraphException">GR3001: the budget cannot be met.</exception>
    public override Module Run(Module module, PassContext context)
    {
        if (context.Options.ArenaBudgetInBytes is not { } budget)
        {
            return module;
        }
        var use = new ArenaUse(module);
        int tries = 0;
        while (use.Bytes > budget)
        {
            // Values do not fill an arena without gaps; what is lost there is taken from the limit.
            long limit = Math.Min(budget - (use.Bytes - use.PeakBytes), use.PeakBytes - 1);
            if (FindLower(module, use, limit, ref tries) is not var (lower, what))
            {
                throw Unreachable(module, use, budget);
            }
            if (!context.TryTakeRewrite(() => what))
            {
                return module;
            }
            module = lower;
            use = new ArenaUse(module);
        }
        return module;
    }

    private static (Module Module, string What)? FindLower(Module module, ArenaUse use, long limit, ref int tries)
    {
        var uses = new ValueUses(module.Entry);
        if (use.NodeAtPeak() is not { } node)
        {
            return null;
        }
        foreach (Recomputation candidate in Recomputation.Candidates(uses, uses.PlaceOf(node)))
        {
            if (++tries > MostTries)
            {
                return null;
            }
            Module tried = module with { Entry = candidate.Apply(uses, module.Provenance) };
            var then = new ArenaUse(tried);
            if (then.Bytes <= use.Bytes && then.Above(limit) < use.Above(limit))
            {
                return (tried, $"compute {candidate.Value.Node} again for {candidate.Late[0]}");
            }
        }
        return null;
    }

    private static GraphException Unreachable(Module module, ArenaUse use, long budget)
    {
        IEnumerable<string> values = use.LargestAtPeak(ValuesNamed).Select(v =>
        {
            string origin = module.Provenance[v.Node] is [var first, ..] ? $" ({first})" : "";
            return string.Create(CultureInfo.InvariantCulture, $"{v.Type} of {ListScheduler.TypicalBytes(v.Type)} bytes{origin}");
        });
        return new GraphException(
            OptimizerDiagnostics.ArenaBudget,
            string.Create(
                CultureInfo.InvariantCulture,
                $"a run of '{module.Name}' takes {use.Bytes} bytes of scratch memory at least; the budget is {budget}"),
            why: $"these are needed at once, and nothing that is cheaper to keep can be computed again: {string.Join(", ", values)}",
            fix: "allow more memory, feed smaller batches, or keep less between the forward and the backward pass");
    }
}
