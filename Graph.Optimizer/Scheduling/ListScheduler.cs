using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Orders the nodes of a computation so that little memory is in use at once.</summary>
/// <remarks>
/// Two orders are tried: depth first from the results, and greedily the node that frees the most (and allocates the least)
/// among those whose operands are there. The one with the smaller simulated peak wins; the first on a tie. Effects keep their
/// order. Symbolic sizes count with a value typical of their symbols, so the order is the same for all of them.
/// </remarks>
public static class ListScheduler
{
    // Stands for a symbol whose bounds allow it; large enough that tensors weigh more than scalars.
    private const long TypicalExtent = 64;

    /// <summary>All nodes of the computation, each after its operands.</summary>
    public static ImmutableArray<Node> Schedule(Computation computation)
    {
        var problem = new SchedulingProblem(computation, TypicalBytes);
        ImmutableArray<Node> depthFirst = problem.InOrder([.. computation.PostOrder()]);
        ImmutableArray<Node> greedy = problem.Greedy();
        return problem.Peak(greedy) < problem.Peak(depthFirst) ? greedy : depthFirst;
    }

    /// <summary>The bytes of a tensor, with typical values for symbols.</summary>
    internal static long TypicalBytes(TensorType type)
    {
        try
        {
            return type.SizeInBytes.Evaluate(TypicalValue);
        }
        catch (OverflowException)
        {
            return long.MaxValue >> 16;
        }
    }

    /// <summary>A value that a symbol may well have.</summary>
    internal static long TypicalValue(DimSymbol symbol) => Math.Clamp(TypicalExtent, symbol.Min, symbol.Max);
}
