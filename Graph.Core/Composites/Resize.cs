namespace Graphene;

/// <summary>Resizing of images and volumes, axis by axis.</summary>
/// <remarks>
/// Along an axis a result element is a weighted sum of a few input elements ("taps"). Where they lie and what they weigh is
/// computed in f64 from the result's coordinate, by primitive ops: constants where sizes are static, otherwise a few numbers per
/// run. Formulas: ONNX operator specification, Resize.
/// </remarks>
public static class ResizeComposite
{
    /// <summary>Resizes some axes.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Any numeric dtype; integers, f16 and bf16 are interpolated in f32.</param>
    /// <param name="axes">The axes to resize.</param>
    /// <param name="options">How.</param>
    public static Node Resize(this GraphBuilder b, Node x, IReadOnlyList<ResizeAxis> axes, ResizeOptions options)
    {
        OpSite site = b.Site("resize", x);
        DType type = x.DType;
        bool direct = options.Mode == ResizeMode.Nearest || type is DType.F32 or DType.F64;
        Node result = direct ? x : b.Convert(x, DType.F32);
        Node? outside = null;
        Shape shape = Shape.From(x.Shape.Select((dim, i) => axes.Any(a => a.Axis == i) ? axes.First(a => a.Axis == i).Size : dim));
        foreach (ResizeAxis axis in axes)
        {
            site.Require(
                axis.Axis >= 0 && axis.Axis < x.Rank, DiagnosticId.BadAxis, $"axis {axis.Axis} is not one of {x.Type}");
            var taps = new ResizeTaps(b, site, result.Shape[axis.Axis], axis, options);
            if (options.Coordinates == CoordinateMode.TfCropAndResize)
            {
                Node along = b.BroadcastInDim(taps.IsOutside(), shape, [axis.Axis]);
                outside = outside is null ? along : b.Or(outside, along);
            }
            result = ResizeOne(b, result, axis, taps, options);
        }
        if (outside is not null)
        {
            result = b.Select(outside, b.Like(result, options.ExtrapolationValue), result);
        }
        return b.Convert(result, type);
    }

    private static Node ResizeOne(GraphBuilder b, Node x, ResizeAxis axis, ResizeTaps taps, ResizeOptions options)
    {
        if (options.Mode == ResizeMode.Nearest)
        {
            return taps.RepeatsEachElement is { } times
                ? b.RepeatElements(x, axis.Axis, times)
                : b.Take(x, taps.NearestIndex(), axis.Axis);
        }
        Node[] weights = taps.Weights(x.DType);
        if (options.Antialias)
        {
            return Contract(b, x, axis, taps, weights);
        }
        Node? sum = null;
        for (int i = 0; i < weights.Length; i++)
        {
            Node taken = b.Take(x, taps.Index(i), axis.Axis);
            Node term = b.Multiply(taken, b.BroadcastAlong(weights[i], taken.Shape, axis.Axis));
            sum = sum is null ? term : b.Add(sum, term);
        }
        return sum!;
    }

    // Many taps: a matrix [result, input] of weights, contracted with the axis.
    private static Node Contract(GraphBuilder b, Node x, ResizeAxis axis, ResizeTaps taps, Node[] weights)
    {
        var shape = new TensorType(DType.I64, [axis.Size, x.Shape[axis.Axis]]);
        Node column = b.Iota(shape, 1);
        Node matrix = b.Splat(x.DType, shape.Shape, 0);
        for (int i = 0; i < weights.Length; i++)
        {
            Node here = b.Equal(column, b.BroadcastAlong(taps.Index(i), shape.Shape, 0));
            matrix = b.Add(matrix, b.Select(here, b.BroadcastAlong(weights[i], shape.Shape, 0), b.Like(matrix, 0)));
        }
        Node product = b.DotGeneral(x, matrix, [], [], [axis.Axis], [1]);
        int[] order = [.. Enumerable.Range(0, axis.Axis), x.Rank - 1, .. Enumerable.Range(axis.Axis, x.Rank - 1 - axis.Axis)];
        return b.Transpose(product, Axes.From(order));
    }
}
