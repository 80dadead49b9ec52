using System.Collections.Immutable;

namespace Graphene;

/// <summary>Mapping ops that choose between computations.</summary>
internal static class BranchVectorization
{
    /// <summary>One choice for all elements is the same choice between mapped branches; null when elements differ in it.</summary>
    /// <param name="site">The node; its first operand chooses.</param>
    /// <param name="branches">The computations.</param>
    /// <param name="choose">Makes the op from others.</param>
    public static Node[]? OneChoice(
        VectorizeSite site, ImmutableArray<Computation> branches, Func<ImmutableArray<Computation>, Op> choose)
    {
        if (site.IsMapped(0))
        {
            return null;
        }
        bool[] flags = [.. Enumerable.Range(1, site.OperandCount - 1).Select(site.IsMapped)];
        bool[] all = [.. Enumerable.Repeat(true, site.Node.Types.Length)];
        Op op = choose([.. branches.Select(
            c => VectorizedComputation.Close(c, flags, site.Size, all, site.Builder.Provenance).Computation)]);
        Node[] operands = [.. Enumerable.Range(0, site.OperandCount).Select(site.Operand)];
        return site.Builder.Results(site.Builder.Add(op, [.. operands]));
    }

    /// <summary>
    /// Both branches for all elements, then a selection: cheaper than a loop, as long as neither branch could run forever for
    /// elements that do not take it.
    /// </summary>
    public static Node[]? Both(VectorizeSite site, Computation whenTrue, Computation whenFalse)
    {
        if (HasLoop(whenTrue) || HasLoop(whenFalse))
        {
            return null;
        }
        GraphBuilder b = site.Builder;
        bool[] flags = [.. Enumerable.Range(1, site.OperandCount - 1).Select(site.IsMapped)];
        Node[] arguments = [.. Enumerable.Range(1, site.OperandCount - 1).Select(site.Operand)];
        Node[] left = All(whenTrue);
        Node[] right = All(whenFalse);
        return [.. left.Select((x, i) => b.Select(b.BroadcastInDim(site.Operand(0), x.Shape, [0]), x, right[i]))];

        Node[] All(Computation branch)
        {
            (Node[] results, bool[] mapped) = VectorizedComputation.Apply(b, branch, arguments, flags, site.Size);
            return [.. results.Select((r, i) => mapped[i] ? r : b.Repeated(r, site.Size))];
        }
    }

    private static bool HasLoop(Computation computation) =>
        computation.PostOrder().Any(n => n.Op is WhileOp || n.Op.Computations.Any(HasLoop));
}
