using System.Collections.Immutable;

namespace Graphene;

/// <content>Gradients: each slice of the cotangent is added where it was taken from.</content>
public sealed partial record GatherOp
{
    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        (Node x, Node indices) = (self.Operands[0], self.Operands[1]);
        GatherDimensions d = Dimensions;
        var dimensions = new ScatterDimensions(
            d.OffsetDims, d.CollapsedSliceDims, d.OperandBatchingDims, d.StartIndicesBatchingDims, d.StartIndexMap, d.IndexVectorDim);
        Dim[] last = [.. d.StartIndexMap.Select(axis => x.Shape[axis] - SliceSizes[axis])];
        Node inside = IndexBounds.Clamp(b, indices, d.IndexVectorDim, new Dim[last.Length], last);
        Computation add = ReductionBody.Of(ElementwiseTable.Add, x.DType);
        return [b.Scatter(b.Like(x, 0), inside, cotangent, dimensions, add), null];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents) =>
        b.ThroughLinear(self, tangents[0]);
}
