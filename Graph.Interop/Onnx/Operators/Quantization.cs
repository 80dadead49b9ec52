using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Quantized numbers: real value = (stored - zero point) * scale.</summary>
internal static class Quantization
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "QuantizeLinear", 10, Quantize),
        new("", "DequantizeLinear", 10, Dequantize),
        new("", "DynamicQuantizeLinear", 11, DynamicQuantize),
        new("", "QLinearMatMul", 10, QLinearMatMul),
        new("", "QLinearConv", 10, QLinearConv),
    ];

    private static void Quantize(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        OnnxDataType type = c.Has(2) ? c.Value(2).Type
            : c.Attributes.Int("output_dtype") is { } given and not 0 ? (OnnxDataType)given
            : OnnxDataType.UInt8;
        int axis = Axis(c, x);
        Node scale = Spread(c, c.Input(1), x, axis);
        DType work = WorkType(c, x, c.Input(1));
        Node ratio = b.Divide(b.Convert(x, work), b.Convert(scale, work));
        c.Output(0, Round(c, ratio, c.Optional(2) is { } zero ? Spread(c, zero, x, axis) : null, type), type);
    }

    // Division happens in the wider of the input's and the scale's type, in f32 at least; the attribute precision can say otherwise.
    private static DType WorkType(OperatorCall c, Node x, Node scale)
    {
        if (c.Attributes.Int("precision") is { } given and not 0)
        {
            return OnnxTypes.Storage((OnnxDataType)given, c.Where);
        }
        return x.DType == DType.F64 || scale.DType == DType.F64 ? DType.F64 : DType.F32;
    }

    // round(ratio) + zero point, held inside the type's range; floats are converted with saturation.
    private static Node Round(OperatorCall c, Node ratio, Node? zero, OnnxDataType type)
    {
        GraphBuilder b = c.B;
        if (OnnxTypes.IsSmallFloat(type))
        {
            Node offset = zero is null ? ratio : b.Add(ratio, b.Convert(SmallTypes.Decode(b, zero, type), ratio.DType));
            return SmallTypes.Convert(b, offset, OnnxTypes.Of(ratio.DType), type, c.Int("saturate", 1) != 0);
        }
        (double low, double high) = Limits(type);
        Node whole = b.RoundNearestEven(ratio);
        Node moved = zero is null ? whole : b.Add(whole, b.Convert(zero, ratio.DType));
        Node held = b.Minimum(b.Maximum(moved, b.Like(moved, low)), b.Like(moved, high));
        return b.Convert(held, OnnxTypes.Storage(type, c.Where));
    }

    private static (double Low, double High) Limits(OnnxDataType type) => type switch
    {
        OnnxDataType.UInt8 => (0, 255),
        OnnxDataType.Int8 => (-128, 127),
        OnnxDataType.UInt16 => (0, 65535),
        OnnxDataType.Int16 => (-32768, 32767),
        OnnxDataType.UInt4 => (0, 15),
        OnnxDataType.Int4 => (-8, 7),
        OnnxDataType.UInt2 => (0, 3),
        OnnxDataType.Int2 => (-2, 1),
        _ => (int.MinValue, int.MaxValue),
    };

    private static void Dequantize(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        OnnxDataType type = c.Value(0).Type;
        int axis = Axis(c, x);
        Node scale = Spread(c, c.Input(1), x, axis);
        Node? zero = c.Optional(2) is { } given ? Spread(c, given, x, axis) : null;
        DType result = c.Attributes.Int("output_dtype") is { } asked and not 0
            ? OnnxTypes.Storage((OnnxDataType)asked, c.Where)
            : scale.DType;
        DType work = scale.DType is DType.F16 or DType.BF16 ? DType.F32 : scale.DType;
        Node centered;
        if (OnnxTypes.IsSmallFloat(type))
        {
            Node value = b.Convert(SmallTypes.Decode(b, x, type), work);
            centered = zero is null ? value : b.Subtract(value, b.Convert(SmallTypes.Decode(b, zero, type), work));
        }
        else
        {
            Node wide = b.Convert(x, DType.I32);
            centered = b.Convert(zero is null ? wide : b.Subtract(wide, b.Convert(zero, DType.I32)), work);
        }
        c.Output(0, b.Convert(b.Multiply(centered, b.Convert(scale, work)), result));
    }

    // The range of the input, 0 included, is spread over u8.
    private static void DynamicQuantize(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        var all = Axes.Range(x.Rank);
        Node zero = b.Constant(DType.F32, 0);
        Node largest = b.Maximum(b.ReduceMax(x, all), zero);
        Node smallest = b.Minimum(b.Reduce(x, b.Constant(Scalar.Highest(x.DType)), all, ElementwiseTable.Minimum), zero);
        Node scale = b.Divide(b.Subtract(largest, smallest), b.Constant(DType.F32, 255));
        Node point = b.RoundNearestEven(b.Negate(b.Divide(smallest, scale)));
        Node held = b.Minimum(b.Maximum(point, zero), b.Constant(DType.F32, 255));
        Node zeroPoint = b.Convert(held, DType.U8);
        Node ratio = b.Divide(x, b.BroadcastInDim(scale, x.Shape, []));
        c.Output(0, Round(c, ratio, b.BroadcastInDim(zeroPoint, x.Shape, []), OnnxDataType.UInt8));
        c.Output(1, scale);
        c.Output(2, zeroPoint);
    }

    // a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point
    private static void QLinearMatMul(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node sum = b.Convert(IntegerProducts.MatMul(c, 0, 2, 3, 5), DType.F32);
        Node left = b.Convert(c.Input(1), DType.F32);
        Node right = b.Convert(c.Input(4), DType.F32);
        Node scale = b.Multiply(Products.Spread(b, left, sum, sum.Rank - 2), Products.Spread(b, right, sum, sum.Rank - 1));
        Node ratio = b.Divide(b.Multiply(sum, scale), Products.Spread(b, b.Convert(c.Input(6), DType.F32), sum, sum.Rank - 1));
        c.Output(0, Round(c, ratio, Products.Spread(b, c.Input(7), sum, sum.Rank - 1), c.Value(7).Type), c.Value(7).Type);
    }

    // x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias in i32
    private static void QLinearConv(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node sum = Convolutions.WithBias(c, IntegerProducts.Convolve(c, 0, 2, 3, 5), 8);
        Node scale = b.Multiply(
            Products.Spread(b, b.Convert(c.Input(1), DType.F32), sum, 1), Products.Spread(b, b.Convert(c.Input(4), DType.F32), sum, 1));
        Node factor = b.Divide(scale, Products.Spread(b, b.Convert(c.Input(6), DType.F32), sum, 1));
        Node ratio = b.Multiply(b.Convert(sum, DType.F32), factor);
        c.Output(0, Round(c, ratio, Products.Spread(b, c.Input(7), sum, 1), c.Value(7).Type), c.Value(7).Type);
    }

    private static int Axis(OperatorCall c, Node x)
    {
        long axis = c.Int("axis", 1);
        return c.Value(1).Rank == 0 || x.Rank == 0 ? 0 : c.NormalAxis(c.Value(1).Rank == 1 && x.Rank == 1 ? 0 : axis, x.Rank);
    }

    // A scale or zero point with the shape of x: one for all, one per place along the axis, or one per block along it.
    private static Node Spread(OperatorCall c, Node scale, Node x, int axis)
    {
        GraphBuilder b = c.B;
        if (scale.Rank == 0 || (scale.Rank == 1 && scale.Shape[0] == 1))
        {
            return b.BroadcastInDim(b.Reshape(scale, Shape.Scalar), x.Shape, []);
        }
        if (scale.Rank == 1)
        {
            return b.AlongAxis(scale, x.Shape, axis);
        }
        long block = c.Int("block_size", 0);
        if (scale.Rank != x.Rank || block < 1)
        {
            throw c.Bad($"{c.Proto.OpType} of {x.Type} has scales {scale.Type}", "blocks need a block_size and scales of the same rank");
        }
        // [.., n, ..] -> [.., n, block, ..] -> [.., n * block, ..], cut to the extent.
        Dim[] wide = [.. scale.Shape.Take(axis + 1), block, .. scale.Shape.Skip(axis + 1)];
        Node repeated = b.BroadcastInDim(
            scale, Shape.Create(wide), Axes.From(Enumerable.Range(0, scale.Rank).Select(i => i <= axis ? i : i + 1)));
        Node joined = b.Reshape(repeated, scale.Shape.With(axis, scale.Shape[axis] * block));
        return joined.Shape.Equals(x.Shape) ? joined : Slicing.Range(b, joined, axis, 0, x.Shape[axis]);
    }
}
