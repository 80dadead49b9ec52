namespace Graphene.Optimizer;

/// <summary>Nodes that are only another name for memory that another node writes.</summary>
public static class MemoryNames
{
    /// <summary>True for a reshape, a tuple access and an optimization barrier.</summary>
    public static bool IsName(Node node) => node.Op is ReshapeOp or GetTupleElementOp or OptimizationBarrierOp;

    /// <summary>The node and the number of its result behind a name.</summary>
    public static (Node Node, int Result) Resolve(Node node)
    {
        int result = 0;
        while (IsName(node))
        {
            (node, result) = node.Op switch
            {
                GetTupleElementOp element => (node.Operands[0], element.Index),
                ReshapeOp => (node.Operands[0], 0),
                _ => (node.Operands[result], 0), // a barrier passes each operand on
            };
        }
        return (node, result);
    }
}
