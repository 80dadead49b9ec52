namespace Graphene.Optimizer;

/// <summary>Recognises work that follows a dot or convolution, which fusion will compute together with it.</summary>
internal static class HeroChain
{
    private const int MaxSteps = 64;

    /// <summary>True when elementwise steps lead from a dot or convolution of the same shape to the node.</summary>
    public static bool Contains(Node node)
    {
        var pending = new Stack<Node>([node]);
        var seen = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        while (seen.Count < MaxSteps && pending.TryPop(out Node? next))
        {
            if (next.Op is DotGeneralOp or ConvolutionOp)
            {
                return true;
            }
            foreach (Node operand in next.Operands)
            {
                if (next.Op.IsElementwise && operand.Rank == next.Rank && seen.Add(operand))
                {
                    pending.Push(operand);
                }
            }
        }
        return false;
    }
}
