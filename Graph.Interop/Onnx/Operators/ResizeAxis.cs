using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>How one axis of an image is resampled: for every place of the result, which input elements count how much.</summary>
/// <remarks>
/// Everything is computed at import, in double precision; the graph gathers and multiplies, or, with many taps per place
/// (antialiasing), contracts with a matrix. Definitions: the Resize operator of the ONNX standard.
/// </remarks>
/// <param name="Input">The input's extent.</param>
/// <param name="Output">The result's extent.</param>
/// <param name="Scale">The ratio that coordinates are computed with.</param>
internal sealed record ResizeAxis(long Input, long Output, double Scale)
{
    /// <summary>The first and last place of the region of interest, as parts of the axis (tf_crop_and_resize).</summary>
    public (double Start, double End) Region { get; init; } = (0, 1);

    /// <summary>The place in the input that a place of the result stands for.</summary>
    public double Source(OperatorCall c, string transformation, long x)
    {
        double length = Scale * Input;
        switch (transformation)
        {
            case "half_pixel":
                return ((x + 0.5) / Scale) - 0.5;
            case "half_pixel_symmetric":
                double center = Input / 2.0;
                return (center * (1 - (Output / length))) + ((x + 0.5) / Scale) - 0.5;
            case "pytorch_half_pixel":
                return Output > 1 ? ((x + 0.5) / Scale) - 0.5 : 0;
            case "align_corners":
                return length == 1 || Output == 1 ? 0 : x * (Input - 1) / (length - 1);
            case "asymmetric":
                return x / Scale;
            case "tf_half_pixel_for_nn":
                return (x + 0.5) / Scale;
            case "tf_crop_and_resize":
                return Output > 1
                    ? (Region.Start * (Input - 1)) + (x * (Region.End - Region.Start) * (Input - 1) / (Output - 1))
                    : 0.5 * (Region.Start + Region.End) * (Input - 1);
            default:
                throw c.Bad(
                    $"{c.Proto.OpType} has the coordinate_transformation_mode '{GraphOrder.Shorten(transformation)}'", "it is not defined");
        }
    }

    /// <summary>The nearest input element of each place.</summary>
    public long[] Nearest(OperatorCall c, string transformation, string rounding)
    {
        var places = new long[Output];
        for (long x = 0; x < Output; x++)
        {
            double source = Source(c, transformation, x);
            double whole = rounding switch
            {
                "round_prefer_floor" => Math.Ceiling(source - 0.5),
                "round_prefer_ceil" => Math.Floor(source + 0.5),
                "floor" => Math.Floor(source),
                "ceil" => Math.Ceiling(source),
                _ => throw c.Bad($"{c.Proto.OpType} has the nearest_mode '{GraphOrder.Shorten(rounding)}'", "it is not defined"),
            };
            places[x] = (long)Math.Clamp(whole, 0, Input - 1);
        }
        return places;
    }

    /// <summary>The input elements and weights of each place, equally many everywhere; a row of NaN is outside of the input.</summary>
    /// <param name="c">The call.</param>
    /// <param name="transformation">The coordinate transformation.</param>
    /// <param name="filter">The filter's weight at a distance, and how far it reaches.</param>
    /// <param name="antialias">True to widen the filter when shrinking.</param>
    /// <param name="excludeOutside">True to give no weight to what lies beyond the border, instead of repeating it.</param>
    public (long[][] Places, double[][] Weights) Taps(
        OperatorCall c, string transformation, (Func<double, double> Weight, int Reach) filter, bool antialias, bool excludeOutside)
    {
        double shrink = antialias ? Math.Min(Scale, 1) : 1;
        int first = (int)Math.Floor(-filter.Reach / shrink) + 1;
        int count = (2 * filter.Reach) - (2 * (first - 1 + filter.Reach));
        count = antialias ? count : 2 * filter.Reach;
        first = antialias ? first : 1 - filter.Reach;
        var places = new long[Output][];
        var weights = new double[Output][];
        for (long x = 0; x < Output; x++)
        {
            double source = Source(c, transformation, x);
            double whole = Math.Floor(source);
            places[x] = new long[count];
            weights[x] = new double[count];
            for (int i = 0; i < count; i++)
            {
                double place = whole + first + i;
                bool isInside = place >= 0 && place < Input;
                places[x][i] = (long)Math.Clamp(place, 0, Input - 1);
                weights[x][i] = excludeOutside && !isInside ? 0 : filter.Weight((place - source) * shrink);
            }
            double sum = weights[x].Sum();
            if (antialias || excludeOutside)
            {
                weights[x] = [.. weights[x].Select(w => w / sum)];
            }
            if (transformation == "tf_crop_and_resize" && (source < 0 || source > Input - 1))
            {
                Array.Fill(weights[x], double.NaN);
            }
        }
        return (places, weights);
    }

    /// <summary>The linear filter: a triangle.</summary>
    public static (Func<double, double>, int) Linear() => (t => Math.Max(0, 1 - Math.Abs(t)), 1);

    /// <summary>The cubic convolution filter of Keys with its parameter.</summary>
    public static (Func<double, double>, int) Cubic(double a) => (t =>
    {
        double d = Math.Abs(t);
        return d <= 1 ? ((((a + 2) * d) - (a + 3)) * d * d) + 1
            : d < 2 ? (((((d - 5) * d) + 8) * d) - 4) * a
            : 0;
    }, 2);
}
