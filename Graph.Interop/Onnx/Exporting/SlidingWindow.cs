using Graphene.Interop.Onnx.Schema;
using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>What convolutions and poolings have in common: a window over the dimensions behind the first two.</summary>
internal static class SlidingWindow
{
    /// <summary>
    /// Makes before what ONNX's windows lack: holes between elements, edges that are cut off, padding that only a run knows. The
    /// window is left without them.
    /// </summary>
    /// <param name="site">Where.</param>
    /// <param name="x">The input.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="value">What padding and holes hold, a scalar.</param>
    /// <param name="window">One entry for each dimension behind the first two.</param>
    /// <param name="padsLess">True when the operator pads by less than its window.</param>
    public static string Prepare(ExportSite site, string x, Shape shape, string value, WindowDim[] window, bool padsLess)
    {
        Dim[] low = new Dim[shape.Rank];
        Dim[] high = new Dim[shape.Rank];
        for (int i = 0; i < window.Length; i++)
        {
            WindowDim w = window[i];
            if (!w.Size.IsStatic || w.Size.Value < 1)
            {
                throw new NoOnnxFormException($"the window's size is {w.Size}, and ONNX wants a number above 0");
            }
            x = Movement.Spread(site, x, value, ref shape, i + 2, w.BaseDilation - 1);
            if (PadsItself(w.Low) && PadsItself(w.High))
            {
                continue;
            }
            (low[i + 2], high[i + 2]) = (w.Low, w.High);
            window[i] = w with { Low = 0, High = 0 };

            bool PadsItself(Dim amount) =>
                amount is { IsStatic: true, Value: >= 0 } && (!padsLess || amount.Value < w.Size.Value);
        }
        return Movement.Surround(site, x, value, low, high);
    }

    /// <summary>The attributes of a window.</summary>
    public static AttributeProto[] Attributes(WindowDim[] window) =>
    [
        Ints("kernel_shape", window.Select(w => w.Size.Value)),
        Ints("strides", window.Select(w => w.Stride)),
        Ints("dilations", window.Select(w => w.Dilation)),
        Ints("pads", window.Select(w => w.Low.Value).Concat(window.Select(w => w.High.Value))),
    ];
}
