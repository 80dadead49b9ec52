using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Products of quantized integers: of the stored bytes where possible, so that instructions for bytes serve them.</summary>
/// <remarks>
/// <code>
/// sum (x - zx) * (w - zw)  =  sum x * w'  -  zx * sum w'       w' = w - zw, known while importing and within i8
/// </code>
/// In i32, which wraps, both sides are equal always. What is not of that form is widened to i32 before it is multiplied.
/// </remarks>
internal static class IntegerProducts
{
    /// <summary>A matrix product with zero points, in i32.</summary>
    /// <param name="c">The call.</param>
    /// <param name="x">The input that holds the left operand.</param>
    /// <param name="xZero">The optional input that holds its zero point.</param>
    /// <param name="w">The input that holds the right operand.</param>
    /// <param name="wZero">The optional input that holds its zero point.</param>
    public static Node MatMul(OperatorCall c, int x, int xZero, int w, int wZero)
    {
        GraphBuilder b = c.B;
        Node left = c.Input(x);
        Node right = c.Input(w);
        int columns = right.Rank - 1;
        if (left.Rank < 2 || right.Rank < 2 || !IsByte(left) || !IsSingle(c, xZero) || Narrow(c, w, wZero, columns) is not { } weights)
        {
            return b.MatMul(
                Products.Centered(b, left, c.Optional(xZero), Math.Max(left.Rank - 2, 0)),
                Products.Centered(b, right, c.Optional(wZero), columns));
        }
        Node product = b.MatMul(left, weights, DType.I32);
        if (c.Optional(xZero) is not { } zero)
        {
            return product;
        }
        Node sums = b.ReduceSum(b.Convert(weights, DType.I32), [columns - 1]);
        Node offset = Scaled(b, sums, b.Convert(zero, DType.I32));
        Dim[] asRow = [.. sums.Shape.SkipLast(1), 1, sums.Shape[^1]];
        return b.Subtract(product, b.BroadcastTo(b.Reshape(offset, Shape.Create(asRow)), product.Shape));
    }

    /// <summary>A convolution with zero points, in i32. Padding counts as the zero point.</summary>
    /// <param name="c">The call.</param>
    /// <param name="x">The input that holds the image.</param>
    /// <param name="xZero">The optional input that holds its zero point.</param>
    /// <param name="w">The input that holds the weights.</param>
    /// <param name="wZero">The optional input that holds their zero point.</param>
    public static Node Convolve(OperatorCall c, int x, int xZero, int w, int wZero)
    {
        GraphBuilder b = c.B;
        Node image = c.Input(x);
        if (!IsByte(image) || !IsSingle(c, xZero) || Narrow(c, w, wZero, 0) is not { DType: DType.I8 } weights)
        {
            return Convolutions.Convolve(
                c, Products.Centered(b, image, c.Optional(xZero), 1), Products.Centered(b, c.Input(w), c.Optional(wZero), 0));
        }
        if (image.DType == DType.I8 && c.Optional(xZero) is null)
        {
            return Convolutions.Convolve(c, image, weights, resultType: DType.I32);
        }
        // u8 moved by 128 is i8, and so is its zero point.
        Node zero = c.Optional(xZero) is { } given
            ? b.Convert(b.Reshape(given, Shape.Scalar), DType.I32)
            : b.Constant(DType.I32, 0);
        if (image.DType == DType.U8)
        {
            Node wide = b.Convert(image, DType.I32);
            image = b.Convert(b.Subtract(wide, b.Splat(DType.I32, wide.Shape, 128)), DType.I8);
            zero = b.Subtract(zero, b.Constant(DType.I32, 128));
        }
        Node product = Convolutions.Convolve(c, image, weights, b.Convert(zero, DType.I8), DType.I32);
        Node sums = b.ReduceSum(b.Convert(weights, DType.I32), Axes.From(Enumerable.Range(1, weights.Rank - 1)));
        return b.Subtract(product, b.AlongAxis(Scaled(b, sums, zero), product.Shape, 1));
    }

    private static Node Scaled(GraphBuilder b, Node x, Node scalar) =>
        b.Multiply(x, b.BroadcastInDim(b.Reshape(scalar, Shape.Scalar), x.Shape, []));

    private static bool IsByte(Node x) => x.DType is DType.I8 or DType.U8;

    private static bool IsSingle(OperatorCall c, int input) => c.Optional(input) is not { } zero || zero.Shape.ElementCount == 1;

    // Weights without their zero point as bytes, or null when they are not known or need more bits.
    private static Node? Narrow(OperatorCall c, int input, int zero, int axis)
    {
        Node weights = c.Input(input);
        if (!IsByte(weights) || c.Optional(zero) is not { } point)
        {
            return IsByte(weights) ? weights : null;
        }
        return c.TryKnown(input) is { } values && c.TryKnown(zero) is { } zeros ? Narrow(c.B, weights, values, zeros, point.Rank, axis) : null;
    }

    private static Node? Narrow(GraphBuilder b, Node weights, Literal values, Literal zeros, int rank, int axis)
    {
        if (zeros.ElementCount != 1 && (rank != 1 || zeros.ElementCount != values.Shape[axis].Value))
        {
            return null; // blocks, which no product of bytes serves
        }
        int[] points = [.. Enumerable.Range(0, (int)zeros.ElementCount).Select(i => (int)zeros[i].AsInteger)];
        return ZeroPoints.TrySubtract(values, points, axis) is not { } centered ? null
            : ReferenceEquals(centered, values) ? weights
            : b.Constant(centered);
    }
}
