namespace Graphene.Optimizer;

/// <summary>Tells where a step's result may lie in the memory of an operand that is not needed afterwards.</summary>
/// <remarks>
/// A fusion qualifies when each element it writes depends on the operand's element at the same place in memory only. What its
/// kernel must keep to, then: all loads of an iteration come before its stores, and, in a reduction fusion, a row is reduced
/// completely before one of its elements is written. Fusions of a dot or convolution do not qualify: their kernels may keep
/// partial sums in the result while they still read the residual.
/// </remarks>
public static class InPlaceAccess
{
    /// <summary>True for ops that work on their results' buffers: result i starts as operand i, copied there when necessary.</summary>
    public static bool UpdatesOperands(Op op) => op is ScatterOp;

    /// <summary>True when results of the node may overwrite an operand while the node runs.</summary>
    /// <param name="node">A node whose op is anything.</param>
    /// <param name="operand">Which operand.</param>
    public static bool MayOverwrite(Node node, int operand)
    {
        if (node.Op is not FusionOp fusion || !MayRunInPlace(fusion))
        {
            return false;
        }
        Computation body = fusion.Body;
        var elsewhere = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (Node user in body.PostOrder().Reverse())
        {
            for (int i = 0; i < user.Operands.Length; i++)
            {
                if (!KeepsPlace(user, i, body, elsewhere.Contains(user)))
                {
                    elsewhere.Add(user.Operands[i]);
                }
            }
        }
        return !elsewhere.Contains(body.Parameters[operand]);
    }

    private static bool MayRunInPlace(FusionOp fusion) =>
        fusion.Kind == FusionKind.Loop || (fusion.Kind == FusionKind.Reduction && fusion.Body.Results.Length == 1);

    // True when an element of the user needs the operand's element at the same place in memory only. A reduction reads a whole
    // row, but is complete before the row is written, wherever its own result goes.
    private static bool KeepsPlace(Node user, int operand, Computation body, bool isElsewhere) => user.Op switch
    {
        ReduceOp => user.Operands[operand].Shape.Equals(body.Results[0].Shape),
        _ when isElsewhere => false,
        ReshapeOp => true,
        { IsElementwise: true } => user.Operands[operand].Shape.Equals(user.Shape),
        DynamicUpdateSliceOp => operand == 0,
        _ => false,
    };
}
