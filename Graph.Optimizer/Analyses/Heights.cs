namespace Graphene.Optimizer.Analyses;

/// <summary>How many steps come after each node at least: the longest way to the end of the computation.</summary>
/// <remarks>
/// Names of memory take no step. Whatever reads a node's result through a step has a smaller height, so steps of equal height never
/// wait for each other. Effects wait for those before them.
/// </remarks>
internal static class Heights
{
    /// <summary>The height of every node of the computation.</summary>
    public static Dictionary<Node, int> Of(Computation computation)
    {
        IReadOnlyList<Node> nodes = computation.PostOrder();
        var heights = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        foreach (Node node in nodes)
        {
            heights.Add(node, 0);
        }
        Node? laterEffect = null;
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            Node node = nodes[i];
            if (node.Op.HasSideEffects)
            {
                // The walk over a computation meets effects in their order.
                Raise(node, laterEffect is null ? 0 : heights[laterEffect] + 1);
                laterEffect = node;
            }
            int before = heights[node] + (IsStep(node) ? 1 : 0);
            foreach (Node operand in node.Operands)
            {
                Raise(operand, before);
            }
        }
        return heights;

        void Raise(Node node, int height) => heights[node] = Math.Max(heights[node], height);
    }

    private static bool IsStep(Node node) => node.Op is not (ParameterOp or ConstantOp) && !MemoryNames.IsName(node);
}
