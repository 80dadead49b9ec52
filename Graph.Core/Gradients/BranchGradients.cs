using System.Collections.Immutable;

namespace Graphene;

/// <summary>Gradients of ops that choose between computations: the same choice between their gradients.</summary>
internal static class BranchGradients
{
    /// <summary>Reverse mode. The chosen branch runs again, without its effects, for the values that derivatives need.</summary>
    /// <param name="site">The node; its first operand chooses.</param>
    /// <param name="branches">The computations.</param>
    /// <param name="choose">Makes the op from others.</param>
    public static Node?[] Vjp(VjpSite site, ImmutableArray<Computation> branches, Func<ImmutableArray<Computation>, Op> choose)
    {
        GraphBuilder b = site.Builder;
        ImmutableArray<Node> operands = site.Node.Operands;
        bool[] wanted = [.. Enumerable.Range(1, operands.Length - 1).Select(site.Needs)];
        bool[] given = [.. site.Cotangents.Select(c => c is not null)];
        ComputationVjp[] all = [.. branches.Select(branch => new ComputationVjp(branch, given, wanted, b.Provenance))];
        bool[] found = Union(all.Select(vjp => vjp.Found), wanted.Length);
        Op op = choose([.. all.Select(vjp => vjp.Close(found))]);
        return [null, .. Spread(b, op, [.. operands, .. site.Cotangents.OfType<Node>()], found)];
    }

    /// <summary>Forward mode.</summary>
    /// <param name="site">The node; its first operand chooses.</param>
    /// <param name="branches">The computations.</param>
    /// <param name="choose">Makes the op from others.</param>
    public static Node?[] Jvp(JvpSite site, ImmutableArray<Computation> branches, Func<ImmutableArray<Computation>, Op> choose)
    {
        GraphBuilder b = site.Builder;
        bool[] given = [.. site.Tangents.Skip(1).Select(t => t is not null)];
        ComputationJvp[] all = [.. branches.Select(branch => new ComputationJvp(branch, given, b.Provenance))];
        bool[] found = Union(all.Select(jvp => jvp.Found), site.Node.Types.Length);
        Op op = choose([.. all.Select(jvp => jvp.Close(found))]);
        return Spread(b, op, [.. site.Node.Operands, .. site.Tangents.OfType<Node>()], found);
    }

    private static bool[] Union(IEnumerable<bool[]> all, int count) =>
        [.. Enumerable.Range(0, count).Select(i => all.Any(found => found[i]))];

    private static Node?[] Spread(GraphBuilder b, Op op, ImmutableArray<Node> operands, bool[] found)
    {
        if (!found.Contains(true))
        {
            return new Node?[found.Length];
        }
        Node node = b.Add(op, operands);
        int next = 0;
        return [.. found.Select(f => f ? b.GetTupleElement(node, next++) : null)];
    }
}
