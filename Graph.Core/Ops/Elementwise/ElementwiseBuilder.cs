namespace Graphene;

/// <summary>Builds elementwise nodes.</summary>
public static partial class ElementwiseBuilder
{
    /// <summary>Applies a row of the table.</summary>
    public static Node Elementwise(this GraphBuilder b, ElementwiseFn fn, params ReadOnlySpan<Node> operands) =>
        b.Add(new ElementwiseOp(fn), operands);
}
