namespace Graphene.Optimizer;

/// <summary>What a convolution's window adds around the image, as a step of its own.</summary>
internal static class WindowPadding
{
    /// <summary>Whether anything is added along one dimension; not so where only something is cut off.</summary>
    public static bool IsPadded(WindowDim w) => w.Low.Range.Max > 0 || w.High.Range.Max > 0;

    /// <summary>The padded image, and the convolution that pads no more.</summary>
    /// <param name="b">Where the pad goes.</param>
    /// <param name="op">A convolution.</param>
    /// <param name="image">Its left operand.</param>
    /// <param name="value">What surrounds the image, of its type.</param>
    public static (Node Image, ConvolutionOp Op) MoveOut(GraphBuilder b, ConvolutionOp op, Node image, Scalar value)
    {
        var low = new Dim[image.Rank];
        var high = new Dim[image.Rank];
        Array.Fill(low, 0);
        Array.Fill(high, 0);
        for (int i = 0; i < op.Window.Count; i++)
        {
            if (IsPadded(op.Window[i]))
            {
                (low[op.Dimensions.LhsSpatial[i]], high[op.Dimensions.LhsSpatial[i]]) = (op.Window[i].Low, op.Window[i].High);
            }
        }
        ValueList<WindowDim> window = op.Window.Select(w => IsPadded(w) ? w with { Low = 0, High = 0 } : w).ToValueList();
        return (b.Pad(image, b.Constant(value), [.. low], [.. high]), op with { Window = window });
    }
}
