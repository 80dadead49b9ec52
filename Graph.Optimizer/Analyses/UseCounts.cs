namespace Graphene.Optimizer.Analyses;

/// <summary>How often each node of a computation is used.</summary>
public static class UseCounts
{
    /// <summary>Counts each operand slot, result and effect as one use; every node of the computation has an entry.</summary>
    public static Dictionary<Node, int> Of(Computation computation)
    {
        var uses = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        foreach (Node node in computation.PostOrder())
        {
            uses.TryAdd(node, 0);
            foreach (Node operand in node.Operands)
            {
                uses[operand]++;
            }
        }
        foreach (Node root in computation.Results.Concat(computation.Effects))
        {
            uses[root]++;
        }
        return uses;
    }
}
