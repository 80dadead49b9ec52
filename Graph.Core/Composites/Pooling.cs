namespace Graphene;

/// <summary>Where a pooling or convolution puts its padding.</summary>
public enum PaddingMode
{
    /// <summary>As given.</summary>
    Explicit,

    /// <summary>None.</summary>
    Valid,

    /// <summary>As much as gives ceil(size / stride) results; an odd element goes behind.</summary>
    SameUpper,

    /// <summary>As much as gives ceil(size / stride) results; an odd element goes in front.</summary>
    SameLower,
}

/// <summary>What poolings have in common. Inputs are [batch, features, spatial..] or [batch, spatial.., features].</summary>
/// <param name="Window">The window's size along each spatial dimension.</param>
public sealed record PoolingOptions(ValueList<long> Window)
{
    /// <summary>The steps of the window; all 1 when null.</summary>
    public ValueList<long>? Strides { get; init; }

    /// <summary>The distances of window elements; all 1 when null.</summary>
    public ValueList<long>? Dilations { get; init; }

    /// <summary>Where the padding comes from.</summary>
    public PaddingMode Padding { get; init; } = PaddingMode.Explicit;

    /// <summary>Elements added in front of each spatial dimension; none when null.</summary>
    public ValueList<long>? PadLow { get; init; }

    /// <summary>Elements added behind each spatial dimension; none when null.</summary>
    public ValueList<long>? PadHigh { get; init; }

    /// <summary>True for a last window that begins inside the (padded) input but reaches over its end.</summary>
    public bool CeilMode { get; init; }

    /// <summary>For averages: true when padding counts as elements of value 0.</summary>
    public bool CountIncludesPadding { get; init; }

    /// <summary>True for [batch, spatial.., features].</summary>
    public bool ChannelsLast { get; init; }
}

/// <summary>Poolings over the spatial dimensions.</summary>
public static class PoolingComposites
{
    /// <summary>The largest element of each window.</summary>
    public static Node MaxPool(this GraphBuilder b, Node x, PoolingOptions options) => b.ReduceWindow(
        x, b.Constant(Scalar.Lowest(x.DType)), Plan(b.Site("max_pool", x), x, options).All, ElementwiseTable.Maximum);

    /// <summary>The largest element of each window and its row-major position in the input, as i64.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">The input.</param>
    /// <param name="options">The window.</param>
    /// <param name="columnMajor">True to count the spatial positions of a feature map column by column.</param>
    public static (Node Values, Node Positions) MaxPoolWithPositions(
        this GraphBuilder b, Node x, PoolingOptions options, bool columnMajor = false)
    {
        OpSite site = b.Site("max_pool", x);
        IReadOnlyList<WindowDim> window = Plan(site, x, options).All;
        var order = Enumerable.Range(0, x.Rank).ToArray();
        if (columnMajor)
        {
            Array.Reverse(order, 2, x.Rank - 2);
        }
        Shape counted = x.Shape.Permute(Axes.From(order));
        Node flat = b.Iota(new TensorType(DType.I64, [counted.ElementCount]), 0);
        Node position = b.Transpose(b.Reshape(flat, counted), Axes.From(order).Inverse());
        Node[] results = b.Results(b.Add(
            new ReduceWindowOp(window.ToValueList(), ArgReductionComposites.Body(x.DType, CompareDirection.GT, false)),
            x, position, b.Constant(Scalar.Lowest(x.DType)), b.Constant(DType.I64, -1)));
        return (results[0], results[1]);
    }

    /// <summary>The mean of each window; f16 and bf16 are summed in f32.</summary>
    public static Node AveragePool(this GraphBuilder b, Node x, PoolingOptions options)
    {
        WindowPlan plan = Plan(b.Site("average_pool", x), x, options);
        return b.Widened(x, wide =>
        {
            Node sum = b.ReduceWindow(wide, b.Constant(wide.DType, 0), plan.All, ElementwiseTable.Add);
            return b.Divide(sum, b.BroadcastInDim(Counts(b, plan, x.Shape, wide.DType), sum.Shape, plan.Spatial));
        });
    }

    /// <summary>The p-norm of each window: <c>(sum |x|^p)^(1/p)</c>.</summary>
    public static Node LpPool(this GraphBuilder b, Node x, PoolingOptions options, double p = 2)
    {
        WindowPlan plan = Plan(b.Site("lp_pool", x), x, options);
        return b.Widened(x, wide =>
        {
            Node powers = p == 2 ? b.Multiply(wide, wide) : p == 1 ? b.Abs(wide) : b.Power(b.Abs(wide), b.Like(wide, p));
            Node sum = b.ReduceWindow(powers, b.Constant(wide.DType, 0), plan.All, ElementwiseTable.Add);
            return p == 2 ? b.SquareRoot(sum) : p == 1 ? sum : b.Power(sum, b.Like(sum, 1 / p));
        });
    }

    /// <summary>The largest element of each feature map; spatial dimensions stay with size 1.</summary>
    public static Node GlobalMaxPool(this GraphBuilder b, Node x, bool channelsLast = false) =>
        b.ReduceMax(x, SpatialAxes(b.Site("global_max_pool", x), x, channelsLast), keepDims: true);

    /// <summary>The mean of each feature map; spatial dimensions stay with size 1.</summary>
    public static Node GlobalAveragePool(this GraphBuilder b, Node x, bool channelsLast = false) =>
        b.ReduceMean(x, SpatialAxes(b.Site("global_average_pool", x), x, channelsLast), keepDims: true);

    /// <summary>The p-norm of each feature map; spatial dimensions stay with size 1.</summary>
    public static Node GlobalLpPool(this GraphBuilder b, Node x, double p = 2, bool channelsLast = false)
    {
        Axes axes = SpatialAxes(b.Site("global_lp_pool", x), x, channelsLast);
        return b.Widened(x, wide =>
        {
            Node powers = p == 2 ? b.Multiply(wide, wide) : p == 1 ? b.Abs(wide) : b.Power(b.Abs(wide), b.Like(wide, p));
            Node sum = b.ReduceSum(powers, axes, keepDims: true);
            return p == 2 ? b.SquareRoot(sum) : p == 1 ? sum : b.Power(sum, b.Like(sum, 1 / p));
        });
    }

    /// <summary>
    /// Local response normalization across features: <c>x / (k + alpha / size * sum of squares of the size nearest features)^beta</c>.
    /// </summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating, [batch, features, spatial..].</param>
    /// <param name="size">The number of neighbouring features, x's own included.</param>
    /// <param name="alpha">The factor of the mean square.</param>
    /// <param name="beta">The exponent.</param>
    /// <param name="bias">k.</param>
    public static Node LocalResponseNorm(
        this GraphBuilder b, Node x, long size, double alpha = 1e-4, double beta = 0.75, double bias = 1)
    {
        OpSite site = b.Site("local_response_norm", x);
        site.Require(x.Rank >= 2, DiagnosticId.RankMismatch, $"{x.Type} is not of shape [batch, features, spatial..]");
        site.Require(size > 0, DiagnosticId.BadAttribute, $"the size is {size}, it must be at least 1");
        var window = new WindowDim[x.Rank];
        Array.Fill(window, WindowDim.Identity);
        window[1] = new WindowDim(size, Low: (size - 1) / 2, High: size / 2);
        return b.Widened(x, wide =>
        {
            Node squares = b.ReduceWindow(
                b.Multiply(wide, wide), b.Constant(wide.DType, 0), window, ElementwiseTable.Add);
            Node scale = b.Add(b.Multiply(squares, b.Like(squares, alpha / size)), b.Like(squares, bias));
            return b.Divide(wide, b.Power(scale, b.Like(scale, beta)));
        });
    }

    /// <summary>The window along a dimension, with padding by a mode.</summary>
    /// <param name="input">The dimension's size.</param>
    /// <param name="window">Size, stride and dilations; its padding counts for <see cref="PaddingMode.Explicit"/> only.</param>
    /// <param name="mode">Where the padding comes from.</param>
    public static WindowDim Pad(Dim input, WindowDim window, PaddingMode mode)
    {
        if (mode == PaddingMode.Explicit)
        {
            return window;
        }
        if (mode == PaddingMode.Valid)
        {
            return window with { Low = 0, High = 0 };
        }
        Dim reach = ((window.Size - 1) * window.Dilation) + 1;
        Dim total = ((Dim.CeilDiv(input, window.Stride) - 1) * window.Stride) + reach - input;
        if (reach.Range.Min < window.Stride)
        {
            total = Dim.Max(total, 0); // else the steps alone reach over the end, whatever the symbols are
        }
        Dim less = Dim.FloorDiv(total, 2);
        return mode == PaddingMode.SameUpper
            ? window with { Low = less, High = total - less }
            : window with { Low = total - less, High = less };
    }

    private static Axes SpatialAxes(OpSite site, Node x, bool channelsLast)
    {
        site.Require(x.Rank >= 2, DiagnosticId.RankMismatch, $"{x.Type} has no batch and feature dimensions");
        return Axes.Range(channelsLast ? 1 : 2, x.Rank - 2);
    }

    private static WindowPlan Plan(OpSite site, Node x, PoolingOptions options)
    {
        Axes spatial = SpatialAxes(site, x, options.ChannelsLast);
        foreach (ValueList<long>? list in new[] { options.Window, options.Strides, options.Dilations, options.PadLow, options.PadHigh })
        {
            site.Require(
                list is null || list.Count == spatial.Count, DiagnosticId.BadWindow,
                $"{list?.Count} numbers are given for the {spatial.Count} spatial dimensions of {x.Type}");
        }
        var all = new WindowDim[x.Rank];
        Array.Fill(all, WindowDim.Identity);
        var overhang = new Dim[spatial.Count];
        for (int i = 0; i < spatial.Count; i++)
        {
            Dim input = x.Shape[spatial[i]];
            var window = new WindowDim(
                options.Window[i], options.Strides?[i] ?? 1, options.PadLow?[i] ?? 0, options.PadHigh?[i] ?? 0,
                Dilation: options.Dilations?[i] ?? 1);
            site.Require(
                options.Window[i] > 0 && window.Stride > 0 && window.Dilation > 0, DiagnosticId.BadWindow,
                $"a window of size {window.Size}, stride {window.Stride} and dilation {window.Dilation} does not slide");
            window = Pad(input, window, options.Padding);
            overhang[i] = options.CeilMode && options.Padding == PaddingMode.Explicit ? Overhang(input, window) : 0;
            all[spatial[i]] = window with { High = window.High + overhang[i] };
        }
        return new WindowPlan(all, spatial, overhang, options.CountIncludesPadding);
    }

    // What the last window needs behind the padded input, when it begins before the end of input and low padding.
    private static Dim Overhang(Dim input, WindowDim window)
    {
        Dim reach = ((window.Size - 1) * window.Dilation) + 1;
        Dim room = input + window.Low + window.High - reach;
        Dim last = Dim.CeilDiv(room, window.Stride);
        Dim start = input + window.Low - 1;
        last = Dim.Min(last, Dim.FloorDiv(start, window.Stride));
        return Dim.Max((last * window.Stride) - room, 0);
    }

    // The number of elements under each window: an outer product of counts along each dimension, so never larger than needed.
    private static Node Counts(GraphBuilder b, WindowPlan plan, Shape input, DType type)
    {
        Node? product = null;
        Shape shape = Shape.From(plan.Spatial.Select(axis => plan.All[axis].OutputSize(input[axis])));
        for (int i = 0; i < plan.Spatial.Count; i++)
        {
            WindowDim window = plan.All[plan.Spatial[i]];
            Dim size = input[plan.Spatial[i]];
            Dim padded = plan.CountsPadding ? size + window.Low + window.High - plan.Overhang[i] : size;
            WindowDim counted = plan.CountsPadding ? window with { Low = 0, High = plan.Overhang[i] } : window;
            Node ones = b.Splat(type, [padded], 1);
            Node count = b.ReduceWindow(ones, b.Constant(type, 0), [counted], ElementwiseTable.Add);
            Node spread = b.BroadcastInDim(count, shape, [i]);
            product = product is null ? spread : b.Multiply(product, spread);
        }
        return product ?? b.Constant(type, 1);
    }

    private sealed record WindowPlan(WindowDim[] All, Axes Spatial, Dim[] Overhang, bool CountsPadding);
}
