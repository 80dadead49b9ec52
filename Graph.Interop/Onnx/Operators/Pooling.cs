using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Pooling over windows and over whole images.</summary>
internal static class Pooling
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "MaxPool", 1, MaxPool),
        new("", "AveragePool", 1, c => c.Output(0, AveragePool(c))),
        new("", "LpPool", 1, c => c.Output(0, LpPool(c))),
        new("", "GlobalMaxPool", 1, c => Global(c, (b, x, axes) => b.ReduceMax(x, axes))),
        new("", "GlobalAveragePool", 1, c => Global(c, Reductions.Mean)),
        new("", "GlobalLpPool", 1, c => Global(c, (b, x, axes) => Root(b, b.ReduceSum(Power(b, x, Exponent(c)), axes), Exponent(c)))),
    ];

    private static void Global(OperatorCall c, Func<GraphBuilder, Node, Axes, Node> reduce)
    {
        Node x = c.Input(0);
        var axes = Axes.Range(2, RequireImage(c, x));
        c.Output(0, Reductions.KeepAxes(c.B, c.B.Wide(x, v => reduce(c.B, v, axes)), x.Shape, axes));
    }

    private static void MaxPool(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        WindowDim[] window = Window(c, x).Full();
        if (!c.Wants(1))
        {
            c.Output(0, b.ReduceWindow(x, b.Constant(Scalar.Lowest(x.DType)), window, ElementwiseTable.Maximum));
            return;
        }
        // The second result is each maximum's place in the input, counted through all dimensions.
        Node place = b.Reshape(b.Iota(new TensorType(DType.I64, [x.Shape.ElementCount]), 0), x.Shape);
        if (c.Int("storage_order", 0) != 0)
        {
            place = ColumnMajorPlaces(b, x.Shape);
        }
        Node[] results = b.ReduceWindow(
            [x, place], [b.Constant(Scalar.Lowest(x.DType)), b.Constant(Scalar.FromInteger(DType.I64, long.MaxValue))], window,
            Reductions.ArgBody(x.DType, CompareDirection.GT, last: false));
        c.Output(0, results[0]);
        c.Output(1, results[1]);
    }

    // Storage order 1 counts the spatial dimensions with the first one fastest.
    private static Node ColumnMajorPlaces(GraphBuilder b, Shape shape)
    {
        var type = new TensorType(DType.I64, shape);
        Node sum = b.Splat(DType.I64, shape, 0);
        Dim stride = 1;
        foreach (int axis in (int[])[.. Enumerable.Range(2, shape.Rank - 2), 1, 0])
        {
            sum = b.Add(sum, b.Multiply(b.Iota(type, axis), DimNodes.Splat(b, stride, DType.I64, shape)));
            stride *= shape[axis];
        }
        return sum;
    }

    private static Node AveragePool(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Windows plain = Windows.Read(c, [.. x.Shape.Skip(2)]);
        Windows w = Window(c, x);
        bool countsPadding = c.Int("count_include_pad", 0) != 0;
        return b.Wide(x, v =>
        {
            Node sum = b.ReduceWindow(v, b.Constant(v.DType, 0), w.Full(), ElementwiseTable.Add);
            return b.Divide(sum, b.BroadcastInDim(Counts(b, v, w, countsPadding ? plain : null), sum.Shape, Axes.Range(2, w.Rank)));
        });
    }

    // How many elements each window holds: the same pooling over ones. With count_include_pad the declared padding counts, but not
    // what ceil_mode adds.
    private static Node Counts(GraphBuilder b, Node x, Windows w, Windows? padded)
    {
        bool full = padded is null
            ? w.Low.All(p => p == 0) && w.High.All(p => p == 0)
            : w.High.Zip(padded.High).All(p => p.First == p.Second);
        if (full && w.Kernel.All(k => k.IsStatic))
        {
            long count = w.Kernel.Aggregate(1L, (product, k) => product * k.Value);
            Shape places = Shape.From(w.Spatial().Select((d, i) => d.OutputSize(x.Shape[i + 2])));
            return b.Splat(x.DType, places, count);
        }
        Node ones = b.Splat(x.DType, Shape.From(x.Shape.Skip(2)), 1);
        Windows window = w;
        if (padded is not null)
        {
            ones = b.Pad(ones, b.Constant(x.DType, 1), [.. padded.Low], [.. padded.High]);
            window = w with
            {
                Low = [.. w.Low.Zip(padded.Low).Select(p => p.First - p.Second)],
                High = [.. w.High.Zip(padded.High).Select(p => p.First - p.Second)],
            };
        }
        return b.ReduceWindow(ones, b.Constant(x.DType, 0), window.Spatial(), ElementwiseTable.Add);
    }

    private static Node LpPool(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        WindowDim[] window = Window(c, x).Full();
        long p = Exponent(c);
        return b.Wide(x, v => Root(b, b.ReduceWindow(Power(b, v, p), b.Constant(v.DType, 0), window, ElementwiseTable.Add), p));
    }

    private static long Exponent(OperatorCall c) => c.Int("p", 2);

    private static Node Power(GraphBuilder b, Node x, long p) => p switch
    {
        1 => b.Abs(x),
        2 => b.Multiply(x, x),
        _ => b.Power(b.Abs(x), b.Like(x, p)),
    };

    private static Node Root(GraphBuilder b, Node x, long p) => p switch
    {
        1 => x,
        2 => b.SquareRoot(x),
        _ => b.Power(x, b.Like(x, 1.0 / p)),
    };

    private static Windows Window(OperatorCall c, Node x)
    {
        RequireImage(c, x);
        Dim[] spatial = [.. x.Shape.Skip(2)];
        Windows w = Windows.Read(c, spatial);
        return c.Int("ceil_mode", 0) != 0 ? w.WithCeilMode(spatial) : w;
    }

    private static int RequireImage(OperatorCall c, Node x) => x.Rank >= 3 ? x.Rank - 2 : throw c.Bad(
        $"{c.Proto.OpType} of {x.Type}", "it takes a batch, a channel and at least one spatial dimension");
}
