using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Resampling along an axis whose extents only a run knows: coordinates are computed in the graph, in f64.</summary>
internal static class SymbolicResize
{
    /// <summary>Resamples one axis by nearest neighbours or linearly.</summary>
    public static Node Resample(
        OperatorCall c, Node x, int axis, Dim output, string mode, string transformation, string rounding)
    {
        GraphBuilder b = c.B;
        Dim input = x.Shape[axis];
        Node source = Source(c, input, output, transformation);
        Node last = Number(b, input - 1, output);
        if (mode == "nearest")
        {
            Node half = b.Like(source, 0.5);
            Node whole = rounding switch
            {
                "round_prefer_floor" => b.Ceil(b.Subtract(source, half)),
                "round_prefer_ceil" => b.Floor(b.Add(source, half)),
                "ceil" => b.Ceil(source),
                _ => b.Floor(source),
            };
            return b.Take(x, Place(b, whole, last), axis);
        }
        if (mode is not ("linear" or "bilinear"))
        {
            throw c.Unsupported($"{c.Proto.OpType} of mode {mode} along a symbolic dimension", "fix the dimension at import");
        }
        Node below = b.Floor(source);
        Node part = b.Subtract(source, below);
        Node wide = x.DType.IsFloating() ? x : b.Convert(x, DType.F32);
        Node y = b.Wide(wide, v =>
        {
            Shape shape = v.Shape.With(axis, output);
            Node right = b.BroadcastInDim(b.Convert(part, v.DType), shape, [axis]);
            Node low = b.Take(v, Place(b, below, last), axis);
            Node high = b.Take(v, Place(b, b.Add(below, b.Like(below, 1)), last), axis);
            return b.Add(b.Multiply(low, b.Subtract(b.Like(right, 1), right)), b.Multiply(high, right));
        });
        return x.DType.IsFloating() ? y : b.Convert(b.RoundNearestEven(y), x.DType);
    }

    private static Node Source(OperatorCall c, Dim input, Dim output, string transformation)
    {
        GraphBuilder b = c.B;
        Node x = b.Iota(new TensorType(DType.F64, [output]), 0);
        Node inverse = b.Divide(Number(b, input, output), Number(b, output, output));
        Node half = b.Like(x, 0.5);
        switch (transformation)
        {
            case "asymmetric":
                return b.Multiply(x, inverse);
            case "half_pixel" or "pytorch_half_pixel" or "half_pixel_symmetric":
                return b.Subtract(b.Multiply(b.Add(x, half), inverse), half);
            case "align_corners":
                Node steps = b.Maximum(Number(b, output - 1, output), b.Like(x, 1));
                return b.Multiply(x, b.Divide(Number(b, input - 1, output), steps));
            default:
                throw c.Unsupported($"{c.Proto.OpType} with {transformation} along a symbolic dimension", "fix the dimension at import");
        }
    }

    private static Node Number(GraphBuilder b, Dim value, Dim length) => DimNodes.Splat(b, value, DType.F64, [length]);

    private static Node Place(GraphBuilder b, Node whole, Node last) =>
        b.Convert(b.Maximum(b.Minimum(whole, last), b.Like(whole, 0)), DType.I64);
}
