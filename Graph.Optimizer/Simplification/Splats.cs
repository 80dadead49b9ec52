namespace Graphene.Optimizer;

/// <summary>Recognises tensors all of whose elements are one constant.</summary>
internal static class Splats
{
    /// <summary>The repeated element; null when the node is not known to be a splat.</summary>
    public static Scalar? ValueOf(Node node) => node switch
    {
        { Op: ConstantOp { Value: { ElementCount: > 0 } literal } } when literal.IsSplat() => literal[0],
        { Op: BroadcastInDimOp, Operands: [{ Op: ConstantOp { Value: { ElementCount: > 0 } literal } }] } when literal.IsSplat()
            => literal[0],
        _ => null,
    };

    /// <summary>True when every element has exactly the bits of a number in the node's element type (so 0 is not -0.0).</summary>
    public static bool Is(Node node, double value) => ValueOf(node) is { } found && found == Scalar.FromNumber(found.DType, value);

    /// <summary>True when every element is a given value.</summary>
    public static bool Is(Node node, Scalar value) => ValueOf(node) == value;

    /// <summary>True when every element is all ones in binary: true, -1, or the largest unsigned value.</summary>
    public static bool IsAllOnes(Node node) => ValueOf(node) is { } found && !found.DType.IsFloating() &&
        (found.DType == DType.Bool ? found.AsBool : found == Scalar.FromInteger(found.DType, -1));

    /// <summary>One value in every element of a shape, without memory for them.</summary>
    public static Node Make(GraphBuilder b, Scalar value, Shape shape) => b.BroadcastInDim(b.Constant(value), shape, []);

    /// <summary>One number in every element of a node's type.</summary>
    public static Node Like(GraphBuilder b, Node node, double value) =>
        Make(b, Scalar.FromNumber(node.DType, value), node.Shape);
}
