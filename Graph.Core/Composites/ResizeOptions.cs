namespace Graphene;

/// <summary>How a resize makes new elements.</summary>
public enum ResizeMode
{
    /// <summary>The nearest element.</summary>
    Nearest,

    /// <summary>A weighted mean of the two nearest along each axis.</summary>
    Linear,

    /// <summary>A weighted mean of the four nearest along each axis, by Keys' kernel.</summary>
    Cubic,
}

/// <summary>Where in the input a result coordinate x lies; s is the scale, n the sizes.</summary>
public enum CoordinateMode
{
    /// <summary>(x + 0.5) / s - 0.5.</summary>
    HalfPixel,

    /// <summary>As <see cref="HalfPixel"/>, keeping the centre where sizes were rounded.</summary>
    HalfPixelSymmetric,

    /// <summary>As <see cref="HalfPixel"/>, but 0 for results of size 1.</summary>
    PytorchHalfPixel,

    /// <summary>x * (n_in - 1) / (n_out - 1).</summary>
    AlignCorners,

    /// <summary>x / s.</summary>
    Asymmetric,

    /// <summary>(x + 0.5) / s.</summary>
    TfHalfPixelForNearest,

    /// <summary>A box of the input, given by <see cref="ResizeAxis.RegionStart"/> and <see cref="ResizeAxis.RegionEnd"/>.</summary>
    TfCropAndResize,
}

/// <summary>Which neighbour is nearest.</summary>
public enum NearestMode
{
    /// <summary>The nearest; the lower one of two.</summary>
    RoundPreferFloor,

    /// <summary>The nearest; the higher one of two.</summary>
    RoundPreferCeil,

    /// <summary>The lower one.</summary>
    Floor,

    /// <summary>The higher one.</summary>
    Ceil,
}

/// <summary>One axis to resize.</summary>
/// <param name="Axis">Which; not negative.</param>
/// <param name="Size">The size of the result.</param>
/// <param name="Scale">The result's size over the input's, when that is what the user gave; null to divide the sizes.</param>
/// <param name="RegionStart">For <see cref="CoordinateMode.TfCropAndResize"/>: where the box begins, 0 to 1.</param>
/// <param name="RegionEnd">For <see cref="CoordinateMode.TfCropAndResize"/>: where the box ends, 0 to 1.</param>
public readonly record struct ResizeAxis(
    int Axis, Dim Size, double? Scale = null, double RegionStart = 0, double RegionEnd = 1);

/// <summary>How to resize.</summary>
/// <param name="Mode">How new elements are made.</param>
public sealed record ResizeOptions(ResizeMode Mode)
{
    /// <summary>Where results lie in the input.</summary>
    public CoordinateMode Coordinates { get; init; } = CoordinateMode.HalfPixel;

    /// <summary>Which neighbour is nearest.</summary>
    public NearestMode Nearest { get; init; } = NearestMode.RoundPreferFloor;

    /// <summary>The parameter of the cubic kernel.</summary>
    public double CubicCoefficient { get; init; } = -0.75;

    /// <summary>True to give elements outside the input no weight, instead of repeating the edge.</summary>
    public bool ExcludeOutside { get; init; }

    /// <summary>True to widen the kernel when the result is smaller, so that all elements count; needs static sizes.</summary>
    public bool Antialias { get; init; }

    /// <summary>The value outside of the box of <see cref="CoordinateMode.TfCropAndResize"/>.</summary>
    public double ExtrapolationValue { get; init; }
}
