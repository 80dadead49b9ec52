namespace Graphene.Optimizer;

/// <summary>Multiplies stored bytes where both factors of a dot or convolution are dequantized, the right one a constant.</summary>
/// <remarks>
/// <code>
/// dot((x - zx) * sx, (w - zw) * sw)   =>   (dot(x, w') - zx * sum(w')) * (sx * sw)          w' = w - zw, within i8
/// </code>
/// The sums are integers and exact, so results are nearer to the real ones than those of f32 products, each of which is rounded: two
/// roundings, of the sum and of its product with the scale, whatever its length. Padding of a convolution counts as the zero point.
/// Scales and zero points of the left factor are single ones, those of weights may differ from output to output.
/// (<see cref="OptimizerOptions.QuantizedProducts"/>.)
/// </remarks>
public sealed class QuantizedProducts() : RewritePass("quantized-products")
{
    // Of products of bytes, of which the largest is 255 * 128: so many fit i32.
    private const long MostTerms = int.MaxValue / (255 * 128);

    /// <inheritdoc/>
    protected override bool LooksFor(Op op) => op is ConvolutionOp or DotGeneralOp;

    /// <inheritdoc/>
    protected override Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (!Context.Options.QuantizedProducts || !Context.Options.Machine.MultipliesBytes ||
            node is not { Op: ConvolutionOp or DotGeneralOp, DType: DType.F32 } ||
            DequantizedOperand.TryRead(node.Operands[0]) is not { Axis: null, Stored.Op: not ConstantOp, HasByteZeros: true } left ||
            DequantizedOperand.TryRead(node.Operands[1]) is not { Stored.Op: ConstantOp { Value: var stored } } right ||
            OutputAxis(node, right.Axis) is not { } output || Terms(node) > MostTerms ||
            ZeroPoints.TrySubtract(stored, right.Zeros, right.Axis ?? 0) is not { } weights)
        {
            return null;
        }
        Node bytes = b.Constant(weights);
        Node sums = b.ReduceSum(b.Convert(bytes, DType.I32), OfOneOutput(node));
        (Node product, int zero) = node.Op is ConvolutionOp convolution
            ? Convolve(b, convolution, left, bytes)
            : (b.Add(((DotGeneralOp)node.Op) with { ResultType = DType.I32 }, left.Stored, bytes), left.Zeros[0]);
        if (zero != 0)
        {
            Node offset = b.Multiply(sums, Splats.Like(b, sums, zero));
            product = b.Subtract(product, b.BroadcastInDim(offset, product.Shape, output));
        }
        Literal scales = Literal.From<float>([.. right.Scales.Select(s => s * left.Scales[0])], right.Scales.Length);
        Node scale = right.Scales.Length == 1
            ? Splats.Make(b, scales[0], node.Shape)
            : b.BroadcastInDim(b.Constant(scales), node.Shape, [ResultAxis(node, right.Axis!.Value)]);
        return b.Multiply(b.Convert(product, DType.F32), scale);
    }

    // The bytes of both operands are of one type, i8, and what is around the image is a byte as well.
    private static (Node Product, int Zero) Convolve(GraphBuilder b, ConvolutionOp op, DequantizedOperand left, Node weights)
    {
        const int Half = 128;
        Node image = left.Stored;
        int zero = left.Zeros[0];
        if (image.DType == DType.U8)
        {
            Node wide = b.Convert(image, DType.I32);
            image = b.Convert(b.Subtract(wide, Splats.Like(b, wide, Half)), DType.I8);
            zero -= Half;
        }
        ConvolutionOp product = op with { ResultType = DType.I32 };
        if (zero != 0 && op.Window.Any(WindowPadding.IsPadded))
        {
            (image, product) = WindowPadding.MoveOut(b, product, image, Scalar.FromInteger(DType.I8, zero));
        }
        return (b.Add(product, image, weights), zero);
    }

    // The dimensions of the result that those of the right operand become that are not summed over; null for forms that are left alone, as when
    // the given axis is summed over. Depthwise convolutions have no sums that bytes would make faster.
    private static Axes? OutputAxis(Node node, int? axis)
    {
        int rank = node.Operands[1].Rank;
        if (node.Op is DotGeneralOp dot)
        {
            Axes free = dot.RhsFree(rank);
            return dot.RhsBatch.Count == 0 && (axis is null || free.Contains(axis.Value))
                ? Axes.From(Enumerable.Range(node.Rank - free.Count, free.Count))
                : null;
        }
        var op = (ConvolutionOp)node.Op;
        bool isPlain = op.BatchGroups == 1 && !op.IsDepthwise(node.Operands[1].Type) && op.Window.All(w => w.BaseDilation == 1 && !w.Reversed);
        return isPlain && (axis is null || axis == op.Dimensions.RhsOutputFeature) ? [op.Dimensions.ResultFeature] : null;
    }

    private static int ResultAxis(Node node, int axis) => node.Op is DotGeneralOp dot && dot.RhsFree(node.Operands[1].Rank) is var free
        ? node.Rank - free.Count + free.IndexOf(axis)
        : ((ConvolutionOp)node.Op).Dimensions.ResultFeature;

    // The dimensions of the right operand that are summed over.
    private static Axes OfOneOutput(Node node) => node.Op is DotGeneralOp dot
        ? dot.RhsContracting
        : Axes.From(Enumerable.Range(0, node.Operands[1].Rank).Where(axis => axis != ((ConvolutionOp)node.Op).Dimensions.RhsOutputFeature));

    private static long Terms(Node node) => OfOneOutput(node).Aggregate(1L, (n, axis) => n * node.Operands[1].Shape[axis].Value);
}
