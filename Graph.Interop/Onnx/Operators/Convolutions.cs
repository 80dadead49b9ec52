using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Convolution and its transpose.</summary>
internal static class Convolutions
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Conv", 1, c => c.Output(0, WithBias(c, Convolve(c, c.Input(0), c.Input(1)), 2))),
        new("", "ConvInteger", 10, c => c.Output(0, IntegerProducts.Convolve(c, 0, 2, 1, 3))),
        new("", "ConvTranspose", 1, c => c.Output(0, WithBias(c, Transposed(c), 2))),
    ];

    /// <summary>Convolves channels-first input and weights with the call's attributes.</summary>
    /// <param name="c">The call.</param>
    /// <param name="x">The input.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="padding">What the input is padded with, a scalar; null for zero.</param>
    /// <param name="resultType">The element type of the result; null for the input's.</param>
    public static Node Convolve(OperatorCall c, Node x, Node weights, Node? padding = null, DType? resultType = null)
    {
        int rank = RequireShapes(c, x, weights);
        WindowDim[] window = Windows.Read(c, rank, [.. weights.Shape.Skip(2)]).Over([.. x.Shape.Skip(2)]);
        if (padding is not null)
        {
            x = c.B.Pad(
                x, padding, new[] { (Dim)0, 0 }.Concat(window.Select(w => w.Low)).ToValueList(),
                new[] { (Dim)0, 0 }.Concat(window.Select(w => w.High)).ToValueList());
            window = Array.ConvertAll(window, w => w with { Low = 0, High = 0 });
        }
        return c.B.Convolution(
            x, weights, ConvolutionDimensions.ChannelsFirst(rank), window, Groups(c), resultType: resultType);
    }

    /// <summary>Adds a bias per channel, when it is given.</summary>
    public static Node WithBias(OperatorCall c, Node y, int input) => c.Optional(input) is { } bias
        ? c.B.Add(y, c.B.AlongAxis(bias, y.Shape, 1))
        : y;

    private static long Groups(OperatorCall c)
    {
        long groups = c.Int("group", 1);
        return groups > 0 ? groups : throw c.Bad($"{c.Proto.OpType} has {groups} groups", "there must be at least one");
    }

    private static int RequireShapes(OperatorCall c, Node x, Node weights) => x.Rank >= 3 && weights.Rank == x.Rank
        ? x.Rank - 2
        : throw c.Bad(
            $"{c.Proto.OpType} of {x.Type} with weights {weights.Type}",
            "both need a batch or output, a channel and the same number of spatial dimensions");

    // The transpose of a convolution is a convolution with stride 1 over the input with holes (stride - 1 of them), the kernel
    // reversed and its channels exchanged. ONNX's pads cut the result: padding of the convolution is reach - 1 - pad.
    private static Node Transposed(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node weights = c.Input(1);
        int rank = RequireShapes(c, x, weights);
        long groups = Groups(c);
        long[] strides = Windows.List(c, "strides", rank, 1);
        long[] dilations = Windows.List(c, "dilations", rank, 1);
        (Dim[] low, Dim[] high) = TransposedPads(c, x, weights, strides, dilations);
        var window = new WindowDim[rank];
        for (int i = 0; i < rank; i++)
        {
            Dim reach = (weights.Shape[i + 2] - 1) * dilations[i];
            window[i] = new WindowDim(
                weights.Shape[i + 2], 1, reach - low[i], reach - high[i], strides[i], dilations[i], Reversed: true);
        }
        // [groups * in, out, ...] -> [in, groups * out, ...]
        Dim perGroup = Dim.FloorDiv(weights.Shape[0], groups);
        Dim outputs = weights.Shape[1];
        Dim[] spatial = [.. weights.Shape.Skip(2)];
        Node kernel = weights;
        if (groups > 1)
        {
            Node split = b.Reshape(weights, Shape.From([groups, perGroup, outputs, .. spatial]));
            Node moved = b.Transpose(split, Axes.From([1, 0, 2, .. Enumerable.Range(3, rank)]));
            kernel = b.Reshape(moved, Shape.From([perGroup, outputs * groups, .. spatial]));
        }
        Axes places = Axes.Range(2, rank);
        var dimensions = new ConvolutionDimensions(0, 1, places, 0, 1, places, 0, 1, places);
        return b.Convolution(x, kernel, dimensions, window, groups);
    }

    private static (Dim[] Low, Dim[] High) TransposedPads(
        OperatorCall c, Node x, Node weights, long[] strides, long[] dilations)
    {
        int rank = strides.Length;
        long[] extra = Windows.List(c, "output_padding", rank, 0);
        long[] pads = Windows.List(c, "pads", 2 * rank, 0);
        string auto = c.Text("auto_pad", "NOTSET");
        IReadOnlyList<long>? asked = c.Ints("output_shape");
        if (extra.Length != rank || pads.Length != 2 * rank || (asked is not null && asked.Count < rank))
        {
            throw c.Bad(
                $"ConvTranspose has {extra.Length} output paddings and {pads.Length} pads over {rank} spatial dimensions",
                "there must be one output padding and two pads for each");
        }
        var low = new Dim[rank];
        var high = new Dim[rank];
        for (int i = 0; i < rank; i++)
        {
            Dim reach = ((weights.Shape[i + 2] - 1) * dilations[i]) + 1;
            if (asked is null && auto is not ("SAME_UPPER" or "SAME_LOWER"))
            {
                (low[i], high[i]) = auto == "VALID" ? (0, -extra[i]) : (pads[i], pads[i + rank] - extra[i]);
                continue;
            }
            Dim wanted = asked is null ? x.Shape[i + 2] * strides[i] : asked[asked.Count - rank + i];
            Dim total = ((x.Shape[i + 2] - 1) * strides[i]) + extra[i] + reach - wanted;
            Dim half = Dim.FloorDiv(total, 2);
            // An odd element is cut behind for SAME_UPPER, in front otherwise.
            low[i] = auto == "SAME_UPPER" ? half : total - half;
            high[i] = total - low[i] - extra[i];
        }
        return (low, high);
    }
}
