namespace Graphene.Optimizer;

/// <summary>
/// Brings convolutions into the form that has a fast schedule: windows that are neither reversed nor
/// over a dilated base.
/// </summary>
/// <remarks>
/// <code>
/// convolution(x, w), window reversed       =>   convolution(x, reverse(w))
/// convolution(x, w), base dilation s       =>   s convolutions, interleaved
/// </code>
/// Along a dimension that is dilated by s (a transposed convolution), result p, p + s, p + 2s, ... only ever meets every s-th
/// element of the window: the others lie on holes. So each of the s phases is a plain convolution with a part of the window, and
/// no zero is multiplied. The terms that remain keep their order. Exact where the window is known to be finite (a hole under an
/// infinity would make a NaN), so that is asked for.
/// </remarks>
public sealed class ConvolutionCanonicalization() : RewritePass("convolution-canonicalization")
{
    /// <inheritdoc/>
    protected override bool LooksFor(Op op) => op is ConvolutionOp;

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (node.Op is not ConvolutionOp op)
        {
            return null;
        }
        if (op.Window.Any(w => w.Reversed))
        {
            Axes reversed = Axes.From(op.Dimensions.RhsSpatial.Where((_, i) => op.Window[i].Reversed));
            ValueList<WindowDim> window = op.Window.Select(w => w with { Reversed = false }).ToValueList();
            return b.Add(op with { Window = window }, node.Operands[0], b.Reverse(node.Operands[1], reversed));
        }
        for (int i = 0; i < op.Window.Count; i++)
        {
            if (op.BatchGroups == 1 &&
                op.Window[i] is { BaseDilation: > 1, Stride: 1, Dilation: 1 } w && w.Size.IsStatic && w.Low.IsStatic &&
                IsFinite(node.Operands[1]))
            {
                return Interleave(b, node, op, i);
            }
        }
        return null;
    }

    // True for integers, and for constants without infinities and NaN that were only moved.
    private static bool IsFinite(Node weights)
    {
        while (weights.Op.MovesDataOnly && weights.Operands.Length == 1)
        {
            weights = weights.Operands[0];
        }
        return !weights.DType.IsFloating() || (weights.Op is ConstantOp constant && constant.Value.IsFinite());
    }

    private static Node Interleave(GraphBuilder b, Node node, ConvolutionOp op, int spatial)
    {
        long phases = op.Window[spatial].BaseDilation;
        int axis = op.Dimensions.ResultSpatial[spatial];
        Dim size = node.Shape[axis];
        Dim count = Dim.CeilDiv(size, phases);
        Shape one = node.Shape.With(axis, count);
        Shape stacked = Shape.From([.. one.Take(axis + 1), 1, .. one.Skip(axis + 1)]);
        Node[] parts = [.. Enumerable.Range(0, (int)phases).Select(
            p => b.Reshape(Phase(b, node, op, spatial, p, count, one), stacked))];
        Node together = b.Reshape(b.Concatenate(parts, axis + 1), node.Shape.With(axis, count * phases));
        return size == count * phases ? together : b.SliceDimension(together, axis, 0, size);
    }

    // Result p + s i meets window element k where p + k - low is a multiple of s: k = first, first + s, ...
    private static Node Phase(GraphBuilder b, Node node, ConvolutionOp op, int spatial, long p, Dim count, Shape shape)
    {
        WindowDim window = op.Window[spatial];
        long s = window.BaseDilation;
        long low = window.Low.Value;
        long first = (((low - p) % s) + s) % s;
        if (first >= window.Size.Value)
        {
            return b.Splat(node.DType, shape, 0);
        }
        long taps = DimMath.CeilDiv(window.Size.Value - first, s);
        long shift = (p + first - low) / s; // exact
        Dim input = node.Operands[0].Shape[op.Dimensions.LhsSpatial[spatial]];
        var plain = new WindowDim(taps, Low: -shift, High: count - input + shift + taps - 1);
        Node weights = b.SliceDimension(
            node.Operands[1], op.Dimensions.RhsSpatial[spatial], first, window.Size, s);
        ValueList<WindowDim> windows = op.Window.Select((w, i) => i == spatial ? plain : w).ToValueList();
        return b.Add(op with { Window = windows }, node.Operands[0], weights);
    }
}
