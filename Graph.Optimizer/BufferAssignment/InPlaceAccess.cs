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

    /// <summary>True when a result of the node may overwrite an operand while the node runs.</summary>
    /// <param name="node">A node whose op is anything.</param>
    /// <param name="operand">Which operand.</param>
    /// <param name="result">Which result.</param>
    public static bool MayOverwrite(Node node, int operand, int result) => node.Op switch
    {
        FusionOp { Kind: FusionKind.Batch } batch => MayOverwriteInBatch(batch.Body, operand, result),
        FusionOp fusion when MayRunInPlace(fusion) => KeepsPlace(fusion.Body, operand),
        _ => false,
    };

    // The members of a batch run in any order, so what one of them overwrites no other may read.
    private static bool MayOverwriteInBatch(Computation body, int operand, int result)
    {
        Node parameter = body.Parameters[operand];
        (Node writer, int own) = BatchBody.SourceOf(body, result);
        foreach (Node member in BatchBody.Members(body))
        {
            for (int i = 0; i < member.Operands.Length; i++)
            {
                bool reads = ReferenceEquals(member.Operands[i], parameter);
                if (reads && !(ReferenceEquals(member, writer) && MayOverwrite(member, i, own)))
                {
                    return false;
                }
            }
        }
        return true;
    }

    private static bool KeepsPlace(Computation body, int operand)
    {
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
