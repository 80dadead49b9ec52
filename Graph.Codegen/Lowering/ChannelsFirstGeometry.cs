namespace Graphene.Codegen;

/// <summary>
/// Where a convolution finds its input once padding and strides are out of the way. The input is seen as planes of rows of a
/// common length, one plane per (batch, feature, phase), so that output position (y, x) has the number <c>q = y * RowLength + x</c>
/// and the input under kernel position (ky, kx) lies at <c>offset(ky, kx) + q</c>: consecutive q are consecutive in memory.
/// </summary>
/// <remarks>
/// With stride s the input is dealt out into s phases per dimension (element i goes to phase i mod s at place i / s); only the
/// phases that some kernel position touches are kept. q that fall behind the end of an output row are computed and dropped.
/// A one-dimensional convolution is one of height 1.
/// </remarks>
internal sealed class ChannelsFirstGeometry
{
    public ChannelsFirstGeometry(ConvolutionOp op, TensorType input, TensorType result)
    {
        ConvolutionDimensions d = op.Dimensions;
        bool flat = d.SpatialRank == 1;
        Y = flat ? WindowDim.Identity : op.Window[0];
        X = op.Window[^1];
        InputHeight = flat ? 1 : input.Shape[d.LhsSpatial[0]];
        InputWidth = input.Shape[d.LhsSpatial[^1]];
        Height = flat ? 1 : result.Shape[d.ResultSpatial[0]];
        Width = result.Shape[d.ResultSpatial[^1]];
        Positions = [.. from ky in Enumerable.Range(0, (int)Y.Size.Value)
                        from kx in Enumerable.Range(0, (int)X.Size.Value)
                        select (ky * Y.Dilation, kx * X.Dilation)];
        Phases = [.. Positions.Select(p => (p.Y % Y.Stride, p.X % X.Stride)).Distinct()];
        NeedsCopy = Y.Stride > 1 || X.Stride > 1 || !IsZero(Y) || !IsZero(X);
        Rows = NeedsCopy ? Height + ((Y.Size.Value - 1) * Y.Dilation / Y.Stride) : InputHeight;
        RowLength = NeedsCopy ? Width + ((X.Size.Value - 1) * X.Dilation / X.Stride) : InputWidth;

        static bool IsZero(WindowDim w) => w.Low == 0 && w.High == 0;
    }

    /// <summary>The window in y.</summary>
    public WindowDim Y { get; }

    /// <summary>The window in x.</summary>
    public WindowDim X { get; }

    /// <summary>Rows of the input.</summary>
    public Dim InputHeight { get; }

    /// <summary>Columns of the input.</summary>
    public Dim InputWidth { get; }

    /// <summary>Rows of the result.</summary>
    public Dim Height { get; }

    /// <summary>Columns of the result.</summary>
    public Dim Width { get; }

    /// <summary>The dilated kernel positions in row-major order.</summary>
    public IReadOnlyList<(long Y, long X)> Positions { get; }

    /// <summary>The phases that are used.</summary>
    public IReadOnlyList<(long Y, long X)> Phases { get; }

    /// <summary>True when the input must be padded or dealt out into phases first.</summary>
    public bool NeedsCopy { get; }

    /// <summary>Rows of a plane.</summary>
    public Dim Rows { get; }

    /// <summary>The length of a plane's rows.</summary>
    public Dim RowLength { get; }

    /// <summary>The number of q, counting those that are dropped.</summary>
    public Dim Count => ((Height - 1) * RowLength) + Width;

    /// <summary>Where a kernel position begins within the planes of one feature.</summary>
    public Dim Offset((long Y, long X) position)
    {
        int phase = NeedsCopy ? Phases.ToList().IndexOf((position.Y % Y.Stride, position.X % X.Stride)) : 0;
        return (((phase * Rows) + (position.Y / Y.Stride)) * RowLength) + (position.X / X.Stride);
    }
}
