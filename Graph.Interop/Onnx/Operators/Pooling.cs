using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Pooling over windows and over whole images.</summary>
internal static class Pooling
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "MaxPool", 1, MaxPool),
        new("", "AveragePool", 1, c => c.Output(0, c.B.AveragePool(Image(c), Options(c)))),
        new("", "LpPool", 1, c => c.Output(0, c.B.LpPool(Image(c), Options(c), Exponent(c)))),
        new("", "GlobalMaxPool", 1, c => c.Output(0, c.B.GlobalMaxPool(Image(c)))),
        new("", "GlobalAveragePool", 1, c => c.Output(0, c.B.GlobalAveragePool(Image(c)))),
        new("", "GlobalLpPool", 1, c => c.Output(0, c.B.GlobalLpPool(Image(c), Exponent(c)))),
        new("", "MaxUnpool", 9, MaxUnpool),
    ];

    private static void MaxPool(OperatorCall c)
    {
        if (!c.Wants(1))
        {
            c.Output(0, c.B.MaxPool(Image(c), Options(c)));
            return;
        }
        (Node values, Node positions) = c.B.MaxPoolWithPositions(Image(c), Options(c), c.Int("storage_order", 0) != 0);
        c.Output(0, values);
        c.Output(1, positions);
    }

    // Puts each element back at its position in a larger image of zeros; positions count through the whole image tensor.
    private static void MaxUnpool(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = Image(c);
        Node positions = b.Convert(c.Input(1), DType.I64);
        Windows w = Windows.Read(c, x.Rank - 2);
        Dim[] natural = [x.Shape[0], x.Shape[1], .. Enumerable.Range(0, x.Rank - 2).Select(
            i => ((x.Shape[i + 2] - 1) * w.Strides[i]) + w.Kernel[i] - w.Low[i] - w.High[i])];
        Shape shape = c.Has(2) ? Shape.Create(c.Dims(2, "output_shape").Elements) : Shape.Create(natural);
        if (shape.Rank != x.Rank)
        {
            throw c.Bad($"MaxUnpool of {x.Type} has an output of rank {shape.Rank}", "the rank must stay");
        }
        // Positions refer to the natural size; a larger output keeps them at the same coordinates.
        Shape from = Shape.Create(natural);
        Node flat = b.Reshape(positions, [positions.Shape.ElementCount]);
        Node target = shape.Equals(from) ? flat : Moved(b, flat, from, shape);
        Node zeros = b.Splat(x.DType, [shape.ElementCount], 0);
        var dimensions = new ScatterDimensions([], [0], [], [], [0], 1);
        Node values = b.Reshape(x, [x.Shape.ElementCount]);
        c.Output(0, b.Reshape(b.Scatter(zeros, target, values, dimensions, Indexing.Replace(x.DType)), shape));
    }

    private static Node Moved(GraphBuilder b, Node flat, Shape from, Shape to)
    {
        Node rest = flat;
        Node moved = b.Like(flat, 0);
        Dim stride = 1;
        for (int axis = from.Rank - 1; axis >= 0; axis--)
        {
            Node extent = DimNodes.Splat(b, from[axis], DType.I64, flat.Shape);
            Node coordinate = b.Remainder(rest, extent);
            rest = b.Divide(rest, extent);
            moved = b.Add(moved, b.Multiply(coordinate, DimNodes.Splat(b, stride, DType.I64, flat.Shape)));
            stride *= to[axis];
        }
        return moved;
    }

    private static long Exponent(OperatorCall c) => c.Int("p", 2);

    private static PoolingOptions Options(OperatorCall c) => Windows.Read(c, Image(c).Rank - 2).ForPooling(c);

    private static Node Image(OperatorCall c) => c.Value(0).Rank >= 3 ? c.Input(0) : throw c.Bad(
        $"{c.Proto.OpType} of {c.Value(0).TensorType}", "it takes a batch, a channel and at least one spatial dimension");
}
