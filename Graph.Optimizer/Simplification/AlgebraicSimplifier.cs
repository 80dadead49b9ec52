namespace Graphene.Optimizer;

/// <summary>Replaces nodes by cheaper ones with the same elements, root op by root op (one file for each group of ops).</summary>
/// <remarks>
/// Every rule is exact: NaN stays NaN (which NaN is not specified), infinities and signed zeros included, unless it asks for
/// <see cref="PassContext.FastMath"/>. Rules remove nodes, replace them by cheaper ones, or move one thing one way: broadcasts
/// and reshapes towards the results, slices towards the operands, constants to the right.
/// </remarks>
public sealed partial class AlgebraicSimplifier() : RewritePass("algebraic-simplifier")
{
    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node) => node.Op switch
    {
        ElementwiseOp { Fn.Arity: 1 } => Unary(b, node) ?? MoveOutwards(b, node),
        ElementwiseOp { Fn.Arity: 2 } op => ConstantsToTheRight(b, node, op.Fn) ?? Binary(b, node) ?? MoveOutwards(b, node),
        CompareOp compare => Compare(b, node, compare) ?? MoveOutwards(b, node),
        SelectOp => Select(b, node) ?? MoveOutwards(b, node),
        ClampOp => MoveOutwards(b, node),
        ConvertOp convert => Convert(b, node, convert) ?? MoveOutwards(b, node),
        BitcastConvertOp => BitcastConvert(node) ?? (node.Rank == node.Operands[0].Rank ? MoveOutwards(b, node) : null),
        BroadcastInDimOp broadcast => Broadcast(b, node, broadcast),
        ReshapeOp reshape => Reshape(b, node, reshape),
        TransposeOp transpose => Transpose(b, node, transpose),
        SliceOp slice => Slice(b, node, slice),
        DynamicSliceOp slice => DynamicSlice(b, node, slice),
        DynamicUpdateSliceOp => DynamicUpdateSlice(node),
        ConcatenateOp concatenate => Concatenate(b, node, concatenate),
        PadOp pad => Pad(b, node, pad),
        ReverseOp reverse => Reverse(b, node, reverse),
        GatherOp gather => Gather(b, node, gather),
        IotaOp iota => Iota(b, iota),
        ReduceOp reduce => Reduce(b, node, reduce),
        ReduceWindowOp window => ReduceWindow(b, node, window),
        ConvolutionOp convolution => Convolution(b, node, convolution),
        DotGeneralOp dot => DotGeneral(b, node, dot),
        _ => null,
    };

    // f(constant, x) => f(x, constant) where the order does not matter: rules look for constants on the right only.
    private static Node? ConstantsToTheRight(GraphBuilder b, Node node, ElementwiseFn fn) =>
        fn.Commutative && IsConstant(node.Operands[0]) && !IsConstant(node.Operands[1])
            ? b.Elementwise(fn, node.Operands[1], node.Operands[0])
            : null;

    private static bool IsConstant(Node node) => node.Op is ConstantOp || Splats.ValueOf(node) is not null;
}
