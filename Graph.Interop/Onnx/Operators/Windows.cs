using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>The window attributes that convolution and pooling share: kernel_shape, strides, dilations, pads, auto_pad.</summary>
/// <param name="Kernel">Window elements per spatial dimension.</param>
/// <param name="Strides">Steps per spatial dimension.</param>
/// <param name="Dilations">Distances of window elements per spatial dimension.</param>
/// <param name="Low">Padding in front per spatial dimension.</param>
/// <param name="High">Padding behind per spatial dimension.</param>
internal sealed record Windows(Dim[] Kernel, long[] Strides, long[] Dilations, Dim[] Low, Dim[] High)
{
    /// <summary>The number of spatial dimensions.</summary>
    public int Rank => Kernel.Length;

    /// <summary>Reads the attributes.</summary>
    /// <param name="c">The call.</param>
    /// <param name="input">The spatial extents of the input.</param>
    /// <param name="kernel">The kernel's extents when they are known from a weight; else from kernel_shape.</param>
    public static Windows Read(OperatorCall c, Dim[] input, Dim[]? kernel = null)
    {
        int rank = input.Length;
        Dim[] sizes = c.Ints("kernel_shape") is { } given ? [.. given.Select(k => (Dim)k)]
            : kernel ?? throw c.Bad($"{c.Proto.OpType} has no attribute 'kernel_shape'", "the operator needs it");
        long[] strides = List(c, "strides", rank, 1);
        long[] dilations = List(c, "dilations", rank, 1);
        if (sizes.Length != rank || strides.Length != rank || dilations.Length != rank ||
            sizes.Any(s => s.Range.Max < 1) || strides.Any(s => s < 1) || dilations.Any(d => d < 1))
        {
            throw c.Bad(
                $"{c.Proto.OpType} has kernel_shape [{string.Join(", ", sizes)}], strides [{string.Join(", ", strides)}] and " +
                $"dilations [{string.Join(", ", dilations)}] over {rank} spatial dimensions",
                "there must be one of each per spatial dimension, none below 1");
        }
        var low = new Dim[rank];
        var high = new Dim[rank];
        string auto = c.Text("auto_pad", "NOTSET");
        if (auto is "NOTSET" or "")
        {
            long[] pads = List(c, "pads", 2 * rank, 0);
            if (pads.Length != 2 * rank)
            {
                throw c.Bad($"{c.Proto.OpType} has {pads.Length} pads", $"there must be two for each of {rank} spatial dimensions");
            }
            for (int i = 0; i < rank; i++)
            {
                (low[i], high[i]) = (pads[i], pads[i + rank]);
            }
        }
        else if (auto is "SAME_UPPER" or "SAME_LOWER")
        {
            for (int i = 0; i < rank; i++)
            {
                Dim places = Dim.CeilDiv(input[i], strides[i]);
                Dim reach = ((sizes[i] - 1) * dilations[i]) + 1;
                Dim total = Dim.Max(0, ((places - 1) * strides[i]) + reach - input[i]);
                Dim half = Dim.FloorDiv(total, 2);
                (low[i], high[i]) = auto == "SAME_UPPER" ? (half, total - half) : (total - half, half);
            }
        }
        else if (auto != "VALID")
        {
            throw c.Bad($"{c.Proto.OpType} has the auto_pad '{auto}'", "it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER");
        }
        return new Windows(sizes, strides, dilations, low, high);
    }

    /// <summary>A list attribute with as many equal values as needed when it is not given.</summary>
    public static long[] List(OperatorCall c, string name, int count, long otherwise) =>
        c.Ints(name) is { Count: > 0 } given ? [.. given] : [.. Enumerable.Repeat(otherwise, count)];

    /// <summary>With ceil_mode, more padding behind, so that the last partial window counts; but none that starts in the padding.</summary>
    public Windows WithCeilMode(Dim[] input)
    {
        var high = new Dim[Rank];
        for (int i = 0; i < Rank; i++)
        {
            Dim reach = ((Kernel[i] - 1) * Dilations[i]) + 1;
            Dim places = Dim.CeilDiv(input[i] + Low[i] + High[i] - reach, Strides[i]) + 1;
            Dim last = (places - 1) * Strides[i];
            Dim startsInPadding = last - input[i] - Low[i];
            // The last window is dropped when it begins at or behind the end of input and leading padding.
            if (startsInPadding.Range.Min >= 0)
            {
                places -= 1;
            }
            high[i] = ((places - 1) * Strides[i]) + reach - input[i] - Low[i];
        }
        return this with { High = high };
    }

    /// <summary>The window over the spatial dimensions.</summary>
    public WindowDim[] Spatial() =>
        [.. Enumerable.Range(0, Rank).Select(i => new WindowDim(Kernel[i], Strides[i], Low[i], High[i], 1, Dilations[i]))];

    /// <summary>The window over batch, channels and the spatial dimensions.</summary>
    public WindowDim[] Full() => [WindowDim.Identity, WindowDim.Identity, .. Spatial()];
}
