using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Resize and its predecessor Upsample, axis by axis.</summary>
internal static class Resizing
{
    private const int MostGatheredTaps = 4;

    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Upsample", 7, c => c.Output(0, Upsample(c))),
        new("", "Resize", 10, c => c.Output(0, Upsample(c))),
        new("", "Resize", 11, c => c.Output(0, Resize(c), c.Value(0).Type)),
    ];

    // Upsample and the first Resize know factors only, and count from the corner.
    private static Node Upsample(OperatorCall c)
    {
        Node x = c.Input(0);
        float[] scales = c.Attributes.Floats("scales") is { } given ? [.. given] : Floats(c.Known(1, "scales"));
        RequireOnePerAxis(c, scales.Length, x.Rank);
        var settings = new Settings(c, c.Text("mode", "nearest"), "asymmetric", "floor");
        Node y = x;
        for (int axis = 0; axis < x.Rank; axis++)
        {
            y = Resample(settings, y, axis, ScaledExtent(x.Shape[axis], scales[axis]), scales[axis], (0, 1));
        }
        return y;
    }

    private static Node Resize(OperatorCall c)
    {
        Node x = c.Input(0);
        int[] axes = c.Ints("axes") is { } given ? c.NormalAxes(given, x.Rank) : [.. Enumerable.Range(0, x.Rank)];
        string transformation = c.Text("coordinate_transformation_mode", "half_pixel");
        var settings = new Settings(c, c.Text("mode", "nearest"), transformation, c.Text("nearest_mode", "round_prefer_floor"));
        (Dim Output, double? Scale)[] targets = Targets(c, x, axes);
        float[] regions = transformation == "tf_crop_and_resize" && c.Has(1) ? Floats(c.Known(1, "roi")) : [];
        if (regions.Length != 0 && regions.Length != 2 * axes.Length)
        {
            throw c.Bad($"Resize has a region of {regions.Length} numbers for {axes.Length} axes", "there must be two for each");
        }
        Node y = x;
        for (int i = 0; i < axes.Length; i++)
        {
            (double, double) region = regions.Length == 0 ? (0, 1) : (regions[i], regions[i + axes.Length]);
            y = Resample(settings, y, axes[i], targets[i].Output, targets[i].Scale, region);
        }
        return y;
    }

    private static (Dim Output, double? Scale)[] Targets(OperatorCall c, Node x, int[] axes)
    {
        if (c.Has(2) && c.Value(2).Shape.ElementCount != 0)
        {
            float[] scales = Floats(c.Known(2, "scales"));
            RequireOnePerAxis(c, scales.Length, axes.Length);
            return [.. axes.Select((axis, i) => (ScaledExtent(x.Shape[axis], scales[i]), (double?)scales[i]))];
        }
        Dim[] sizes = c.Has(3) ? c.Dims(3, "sizes").Elements : throw c.Bad("Resize has neither scales nor sizes", "one must be given");
        RequireOnePerAxis(c, sizes.Length, axes.Length);
        string policy = c.Text("keep_aspect_ratio_policy", "stretch");
        if (policy == "stretch")
        {
            return [.. sizes.Select(size => (size, (double?)null))];
        }
        double[] ratios = [.. axes.Select((axis, i) => x.Shape[axis].IsStatic && sizes[i].IsStatic
            ? (double)sizes[i].Value / x.Shape[axis].Value
            : throw c.Unsupported($"Resize of {x.Type} keeps the aspect ratio", "the sizes must be known at import"))];
        double ratio = policy switch
        {
            "not_larger" => ratios.Min(),
            "not_smaller" => ratios.Max(),
            _ => throw c.Bad($"Resize has the keep_aspect_ratio_policy '{GraphOrder.Shorten(policy)}'", "it is not defined"),
        };
        return [.. axes.Select(axis =>
            ((Dim)(long)Math.Floor((ratio * x.Shape[axis].Value) + 0.5), (double?)ratio))];
    }

    private static Dim ScaledExtent(Dim extent, double scale) => extent.IsStatic
        ? (long)Math.Floor(extent.Value * scale)
        : scale == Math.Floor(scale) ? extent * (long)scale
        : 1 / scale == Math.Floor(1 / scale) ? Dim.FloorDiv(extent, (long)(1 / scale))
        : Dim.FloorDiv(extent * (long)Math.Round(scale * 1024), 1024);

    private static Node Resample(
        Settings s, Node x, int axis, Dim output, double? scale, (double Start, double End) region)
    {
        GraphBuilder b = s.Call.B;
        Dim input = x.Shape[axis];
        bool crops = s.Transformation == "tf_crop_and_resize" && region != (0, 1);
        if (input == output && !crops && scale is null or 1)
        {
            return x;
        }
        if (WholeFactor(s, input, output) is { } factor)
        {
            return Repeat(b, x, axis, factor);
        }
        if (!input.IsStatic || !output.IsStatic)
        {
            return SymbolicResize.Resample(s.Call, x, axis, output, s.Mode, s.Transformation, s.Rounding);
        }
        if (input.Value == 0 || output.Value is < 0 or > DimSymbol.Unbounded)
        {
            throw s.Call.Bad($"{s.Call.Proto.OpType} of {x.Type} gives axis {axis} the size {output}", "it cannot be resampled so");
        }
        var resize = new ResizeAxis(input.Value, output.Value, scale ?? (double)output.Value / input.Value) { Region = region };
        if (s.Mode == "nearest")
        {
            long[] places = resize.Nearest(s.Call, s.Transformation, s.Rounding);
            Node nearest = b.Take(x, b.Constant(Literal.From<long>(places, places.Length)), axis);
            bool[] outside = [.. Enumerable.Range(0, places.Length).Select(i =>
                crops && resize.Source(s.Call, s.Transformation, i) is var p && (p < 0 || p > input.Value - 1))];
            return Extrapolate(s, nearest, axis, outside);
        }
        bool antialias = s.Call.Int("antialias", 0) != 0;
        (long[][] at, double[][] weights) = resize.Taps(
            s.Call, s.Transformation, s.Filter(), antialias, s.Call.Int("exclude_outside", 0) != 0);
        bool[] isOutside = [.. weights.Select(w => double.IsNaN(w[0]))];
        double[][] clean = [.. weights.Select(w => double.IsNaN(w[0]) ? new double[w.Length] : w)];
        // Integers are interpolated in f32 and rounded to nearest.
        Node wide = x.DType.IsFloating() ? x : b.Convert(x, DType.F32);
        Node y = b.Wide(wide, v => at[0].Length <= MostGatheredTaps ? Gathered(b, v, axis, at, clean) : Contracted(b, v, axis, at, clean));
        Node narrow = x.DType.IsFloating() ? y : b.Convert(b.RoundNearestEven(y), x.DType);
        return Extrapolate(s, narrow, axis, isOutside);
    }

    // Nearest neighbours with a whole factor repeat each element, whatever the extent is.
    private static long? WholeFactor(Settings s, Dim input, Dim output)
    {
        bool repeats = s.Mode == "nearest" && s.Transformation switch
        {
            "asymmetric" => s.Rounding == "floor",
            "half_pixel" or "half_pixel_symmetric" or "pytorch_half_pixel" => s.Rounding.StartsWith("round", StringComparison.Ordinal),
            _ => false,
        };
        if (!repeats || !Dim.TryDivideExact(output, input, out Dim factor) || !factor.IsStatic || factor.Value < 1)
        {
            return null;
        }
        // With an extent of 1, pytorch_half_pixel and whole ties are special; leave them to the tables.
        return factor.Value;
    }

    private static Node Repeat(GraphBuilder b, Node x, int axis, long factor)
    {
        if (factor == 1)
        {
            return x;
        }
        Shape wide = Shape.From([.. x.Shape.Take(axis + 1), factor, .. x.Shape.Skip(axis + 1)]);
        Node repeated = b.BroadcastInDim(x, wide, Axes.From(Enumerable.Range(0, x.Rank).Select(i => i <= axis ? i : i + 1)));
        return b.Reshape(repeated, x.Shape.With(axis, x.Shape[axis] * factor));
    }

    private static Node Gathered(GraphBuilder b, Node x, int axis, long[][] places, double[][] weights)
    {
        Shape shape = x.Shape.With(axis, places.Length);
        Node? sum = null;
        for (int tap = 0; tap < places[0].Length; tap++)
        {
            long[] at = [.. places.Select(p => p[tap])];
            Literal weight = Literal.Generate(
                new TensorType(x.DType, [places.Length]), i => Scalar.FromDouble(x.DType, weights[i[0]][tap]));
            Node term = b.Multiply(
                b.Take(x, b.Constant(Literal.From<long>(at, at.Length)), axis),
                b.BroadcastInDim(b.Constant(weight), shape, [axis]));
            sum = sum is null ? term : b.Add(sum, term);
        }
        return sum!;
    }

    private static Node Contracted(GraphBuilder b, Node x, int axis, long[][] places, double[][] weights)
    {
        long input = x.Shape[axis].Value;
        var matrix = new double[places.Length, input];
        for (int row = 0; row < places.Length; row++)
        {
            for (int tap = 0; tap < places[row].Length; tap++)
            {
                matrix[row, places[row][tap]] += weights[row][tap];
            }
        }
        Literal literal = Literal.Generate(
            new TensorType(x.DType, [places.Length, input]), at => Scalar.FromDouble(x.DType, matrix[at[0], at[1]]));
        // Contracting puts the new axis last; move it back.
        Node product = b.DotGeneral(x, b.Constant(literal), [], [], [axis], [1]);
        int last = x.Rank - 1;
        return b.Transpose(product, Axes.From(
            Enumerable.Range(0, x.Rank).Select(i => i < axis ? i : i == axis ? last : i - 1)));
    }

    private static Node Extrapolate(Settings s, Node y, int axis, bool[] outside)
    {
        if (!outside.Contains(true))
        {
            return y;
        }
        GraphBuilder b = s.Call.B;
        Node mask = b.BroadcastInDim(b.Constant(Literal.From<bool>(outside, outside.Length)), y.Shape, [axis]);
        return b.Select(mask, b.Like(y, s.Call.Float("extrapolation_value", 0)), y);
    }

    private static float[] Floats(Literal literal) =>
        [.. Enumerable.Range(0, (int)literal.ElementCount).Select(i => (float)literal[i].AsDouble)];

    private static void RequireOnePerAxis(OperatorCall c, int given, int axes)
    {
        if (given != axes)
        {
            throw c.Bad($"{c.Proto.OpType} has {given} scales or sizes for {axes} axes", "there must be one for each");
        }
    }

    private sealed record Settings(OperatorCall Call, string Mode, string Transformation, string Rounding)
    {
        public (Func<double, double>, int) Filter() => Mode switch
        {
            "linear" or "bilinear" => ResizeAxis.Linear(),
            "cubic" => ResizeAxis.Cubic(Call.Float("cubic_coeff_a", -0.75f)),
            _ => throw Call.Bad($"{Call.Proto.OpType} has the mode '{GraphOrder.Shorten(Mode)}'", "it must be nearest, linear or cubic"),
        };
    }
}
