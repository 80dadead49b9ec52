namespace Graphene.Optimizer;

/// <summary>A constant, or a broadcast one, as elements of a literal at strided places.</summary>
/// <param name="Source">The literal.</param>
/// <param name="Strides">Elements from one index to the next, per dimension of the node.</param>
internal sealed record StridedConstant(Literal Source, long[] Strides)
{
    public static StridedConstant? TryView(Node node)
    {
        if (node.Op is ConstantOp constant)
        {
            return new StridedConstant(constant.Value, [.. constant.Value.Type.Strides().Select(s => s.Value)]);
        }
        if (node is not { Op: BroadcastInDimOp op, Operands: [{ Op: ConstantOp { Value: var source } }] } || !node.Shape.IsStatic)
        {
            return null;
        }
        var strides = new long[node.Rank];
        Dim[] inner = source.Type.Strides();
        for (int i = 0; i < inner.Length; i++)
        {
            strides[op.BroadcastDimensions[i]] = source.Shape[i] == 1 ? 0 : inner[i].Value;
        }
        return new StridedConstant(source, strides);
    }
}
