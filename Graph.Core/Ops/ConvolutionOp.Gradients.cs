using System.Collections.Immutable;

namespace Graphene;

/// <content>Gradients: a convolution is linear in each operand, and both transposes are convolutions again.</content>
public sealed partial record ConvolutionOp
{
    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <inheritdoc/>
    protected override Node?[] Vjp(GraphBuilder b, Node self, Node cotangent)
    {
        (Node x, Node kernel) = (self.Operands[0], self.Operands[1]);
        (Node wideX, Node wideKernel) = (b.Convert(x, ResultType), b.Convert(kernel, ResultType));
        return [b.Convert(ByInput(b, wideX, wideKernel, cotangent), x.DType),
            b.Convert(ByKernel(b, wideX, wideKernel, cotangent), kernel.DType)];
    }

    /// <inheritdoc/>
    protected override Node? Jvp(GraphBuilder b, Node self, ImmutableArray<Node?> tangents)
    {
        Node? byInput = tangents[0] is { } x ? b.Add(this, x, self.Operands[1]) : null;
        Node? byKernel = tangents[1] is { } kernel ? b.Add(this, self.Operands[0], kernel) : null;
        return b.SumOrNull(byInput, byKernel);
    }

    // dx[p] = sum of d[o] * kernel[k] over all o and k that met at p: the kernel back to front over d, whose strides become holes.
    private Node ByInput(GraphBuilder b, Node x, Node kernel, Node d)
    {
        ConvolutionDimensions n = Dimensions;
        long groups = FeatureGroups * BatchGroups;

        // Each group sees its output features and gives its input features, so the groups move from one to the other.
        Node grouped = MoveGroups(b, kernel, n.RhsOutputFeature, n.RhsInputFeature, groups);
        var transposed = new ConvolutionDimensions(
            n.ResultBatch, n.ResultFeature, n.ResultSpatial, n.RhsOutputFeature, n.RhsInputFeature, n.RhsSpatial,
            n.LhsBatch, n.LhsFeature, n.LhsSpatial);
        WindowDim[] window = [.. Window.Select(
            (w, i) => w.Transposed(x.Shape[n.LhsSpatial[i]], d.Shape[n.ResultSpatial[i]]) with { Reversed = !w.Reversed })];
        Node dx = b.Convolution(d, grouped, transposed, window, groups);
        return BatchGroups == 1 ? dx : MoveGroups(b, dx, n.LhsFeature, n.LhsBatch, BatchGroups);
    }

    // dk[k] = sum of x[p] * d[o] over all o and p that met at k: d slides over x in steps of the kernel's dilation, the batch is
    // contracted and features are what is counted.
    private Node ByKernel(GraphBuilder b, Node x, Node kernel, Node d)
    {
        ConvolutionDimensions n = Dimensions;
        var transposed = new ConvolutionDimensions(
            n.LhsFeature, n.LhsBatch, n.LhsSpatial, n.ResultBatch, n.ResultFeature, n.ResultSpatial,
            n.RhsInputFeature, n.RhsOutputFeature, n.RhsSpatial);
        WindowDim[] window = [.. Window.Select((w, i) =>
        {
            Dim spread = new WindowDim(1, BaseDilation: w.Stride).DilatedBase(d.Shape[n.ResultSpatial[i]]);
            Dim reach = new WindowDim(1, BaseDilation: w.Dilation).DilatedBase(w.Size);
            Dim high = reach - 1 + spread - w.DilatedBase(x.Shape[n.LhsSpatial[i]]) - w.Low;
            return new WindowDim(
                d.Shape[n.ResultSpatial[i]], Stride: w.Dilation, w.Low, high, BaseDilation: w.BaseDilation, Dilation: w.Stride);
        })];
        Node dk = b.Convolution(x, d, transposed, window, featureGroups: BatchGroups, batchGroups: FeatureGroups);
        int[] reversed = [.. Enumerable.Range(0, n.SpatialRank).Where(i => Window[i].Reversed).Select(i => n.RhsSpatial[i])];
        return b.Reverse(dk, Axes.From(reversed));
    }

    // [.., groups * m, .., k, ..] => [.., m, .., groups * k, ..]
    private static Node MoveGroups(GraphBuilder b, Node x, int from, int to, long groups)
    {
        if (groups == 1)
        {
            return x;
        }
        Dim rest = Dim.FloorDiv(x.Shape[from], groups);
        Dim[] split = [.. x.Shape.Take(from), groups, rest, .. x.Shape.Skip(from + 1)];
        int target = to < from ? to : to + 1;
        int[] others = [.. Enumerable.Range(0, x.Rank + 1).Where(axis => axis != from)];
        int place = Array.IndexOf(others, target);
        int[] order = [.. others.Take(place), from, .. others.Skip(place)];
        Node moved = b.Transpose(b.Reshape(x, Shape.From(split)), Axes.From(order));
        return b.Reshape(moved, x.Shape.With(from, rest).With(to, x.Shape[to] * groups));
    }
}
