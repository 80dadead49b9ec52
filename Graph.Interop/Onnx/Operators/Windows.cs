using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>The window attributes that convolution and pooling share: kernel_shape, strides, dilations, pads, auto_pad.</summary>
/// <param name="Kernel">Window elements per spatial dimension.</param>
/// <param name="Strides">Steps per spatial dimension.</param>
/// <param name="Dilations">Distances of window elements per spatial dimension.</param>
/// <param name="Low">Explicit padding in front per spatial dimension.</param>
/// <param name="High">Explicit padding behind per spatial dimension.</param>
/// <param name="Mode">Where the padding comes from.</param>
internal sealed record Windows(Dim[] Kernel, long[] Strides, long[] Dilations, long[] Low, long[] High, PaddingMode Mode)
{
    /// <summary>Reads the attributes.</summary>
    /// <param name="c">The call.</param>
    /// <param name="rank">The number of spatial dimensions.</param>
    /// <param name="kernel">The kernel's extents when they are known from a weight; else from kernel_shape.</param>
    public static Windows Read(OperatorCall c, int rank, Dim[]? kernel = null)
    {
        Dim[] sizes = kernel ?? (c.Ints("kernel_shape") is { } given ? [.. given.Select(k => (Dim)k)] : throw c.Bad(
            $"{c.Proto.OpType} has no attribute 'kernel_shape'", "the operator needs it"));
        long[] strides = List(c, "strides", rank, 1);
        long[] dilations = List(c, "dilations", rank, 1);
        long[] pads = List(c, "pads", 2 * rank, 0);
        if (sizes.Length != rank || strides.Length != rank || dilations.Length != rank || pads.Length != 2 * rank ||
            sizes.Any(s => s.Range.Max < 1) || strides.Any(s => s < 1) || dilations.Any(d => d < 1))
        {
            throw c.Bad(
                $"{c.Proto.OpType} has kernel_shape [{string.Join(", ", sizes)}], strides [{string.Join(", ", strides)}], " +
                $"dilations [{string.Join(", ", dilations)}] and {pads.Length} pads over {rank} spatial dimensions",
                "there must be one of each per spatial dimension, none below 1, and two pads");
        }
        PaddingMode mode = c.Text("auto_pad", "NOTSET") switch
        {
            "NOTSET" or "" => PaddingMode.Explicit,
            "VALID" => PaddingMode.Valid,
            "SAME_UPPER" => PaddingMode.SameUpper,
            "SAME_LOWER" => PaddingMode.SameLower,
            var other => throw c.Bad(
                $"{c.Proto.OpType} has the auto_pad '{GraphOrder.Shorten(other)}'", "it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
        };
        return new Windows(sizes, strides, dilations, pads[..rank], pads[rank..], mode);
    }

    /// <summary>A list attribute, or as many equal values as needed when it is not given.</summary>
    public static long[] List(OperatorCall c, string name, int count, long otherwise) =>
        c.Ints(name) is { Count: > 0 } given ? [.. given] : [.. Enumerable.Repeat(otherwise, count)];

    /// <summary>The window over spatial dimensions of the given extents.</summary>
    public WindowDim[] Over(Dim[] input) => [.. Enumerable.Range(0, Kernel.Length).Select(i => PoolingComposites.Pad(
        input[i], new WindowDim(Kernel[i], Strides[i], Low[i], High[i], 1, Dilations[i]), Mode))];

    /// <summary>The window of a pooling.</summary>
    public PoolingOptions ForPooling(OperatorCall c) => new(Kernel.Select(k => k.Value).ToValueList())
    {
        Strides = [.. Strides],
        Dilations = [.. Dilations],
        PadLow = [.. Low],
        PadHigh = [.. High],
        Padding = Mode,
        CeilMode = c.Int("ceil_mode", 0) != 0,
        CountIncludesPadding = c.Int("count_include_pad", 0) != 0,
    };
}
