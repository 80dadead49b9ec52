namespace Graphene;

/// <summary>Walks over nodes with explicit stacks: deep models overflow recursion.</summary>
public static class Traversal
{
    /// <summary>All nodes that the roots need, each once, operands before users, roots in the given order.</summary>
    public static IReadOnlyList<Node> PostOrder(IReadOnlyList<Node> roots)
    {
        var order = new List<Node>();
        var done = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var stack = new Stack<(Node Node, int Next)>();
        foreach (Node root in roots)
        {
            if (done.Add(root))
            {
                stack.Push((root, 0));
            }
            while (stack.TryPop(out (Node Node, int Next) top))
            {
                if (top.Next == top.Node.Operands.Length)
                {
                    order.Add(top.Node);
                    continue;
                }
                stack.Push((top.Node, top.Next + 1));
                Node operand = top.Node.Operands[top.Next];
                if (done.Add(operand))
                {
                    stack.Push((operand, 0));
                }
            }
        }
        return order;
    }
}
