namespace Graphene;

/// <summary>Normalizations. Variances are two-pass; f16 and bf16 are computed in f32 and rounded once.</summary>
public static class NormalizationComposites
{
    /// <summary>
    /// Layer normalization: <c>(x - mean) / sqrt(variance + epsilon) * scale + bias</c> over the axes from
    /// <paramref name="axis"/> on.
    /// </summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating.</param>
    /// <param name="scale">Broadcasts to <paramref name="x"/>; null for 1.</param>
    /// <param name="bias">Broadcasts to <paramref name="x"/>; null for 0.</param>
    /// <param name="axis">The first normalized axis; negative from the end.</param>
    /// <param name="epsilon">Keeps the divisor from 0.</param>
    public static Node LayerNorm(
        this GraphBuilder b, Node x, Node? scale = null, Node? bias = null, int axis = -1, double epsilon = 1e-5)
    {
        int first = b.Site("layer_norm", x).Axis(axis, x.Rank);
        Axes axes = Axes.Range(first, x.Rank - first);
        return b.Widened(x, wide => ScaleAndShift(b, Standardize(b, wide, axes, epsilon), scale, bias));
    }

    /// <summary>The mean and the reciprocal standard deviation that <see cref="LayerNorm"/> uses, in f32 for f16 and bf16.</summary>
    public static (Node Mean, Node InverseDeviation) LayerNormStatistics(
        this GraphBuilder b, Node x, int axis = -1, double epsilon = 1e-5)
    {
        int first = b.Site("layer_norm", x).Axis(axis, x.Rank);
        Axes axes = Axes.Range(first, x.Rank - first);
        Node wide = x.DType is DType.F16 or DType.BF16 ? b.Convert(x, DType.F32) : x;
        Node mean = b.ReduceMean(wide, axes, keepDims: true);
        Node variance = b.ReduceVariance(wide, axes, keepDims: true);
        return (mean, b.ReciprocalSquareRoot(b.Add(variance, b.Like(variance, epsilon))));
    }

    /// <summary>Root mean square normalization: <c>x / sqrt(mean(x^2) + epsilon) * scale</c> from <paramref name="axis"/> on.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating.</param>
    /// <param name="scale">Broadcasts to <paramref name="x"/>; null for 1.</param>
    /// <param name="axis">The first normalized axis; negative from the end.</param>
    /// <param name="epsilon">Keeps the divisor from 0.</param>
    public static Node RmsNorm(this GraphBuilder b, Node x, Node? scale = null, int axis = -1, double epsilon = 1e-5)
    {
        int first = b.Site("rms_norm", x).Axis(axis, x.Rank);
        Axes axes = Axes.Range(first, x.Rank - first);
        return b.Widened(x, wide =>
        {
            Node mean = ReductionComposites.Mean(b, b.Multiply(wide, wide), axes);
            Node inverse = b.ReciprocalSquareRoot(b.Add(mean, b.Like(mean, epsilon)));
            return ScaleAndShift(b, b.Multiply(wide, b.BroadcastBack(inverse, wide.Shape, axes)), scale, null);
        });
    }

    /// <summary>Batch normalization with given statistics: <c>(x - mean) / sqrt(variance + epsilon) * scale + bias</c>.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating.</param>
    /// <param name="scale">One number per feature.</param>
    /// <param name="bias">One number per feature.</param>
    /// <param name="mean">One number per feature.</param>
    /// <param name="variance">One number per feature.</param>
    /// <param name="epsilon">Keeps the divisor from 0.</param>
    /// <param name="featureAxis">The axis of the features; negative from the end.</param>
    public static Node BatchNormInference(
        this GraphBuilder b, Node x, Node scale, Node bias, Node mean, Node variance, double epsilon = 1e-5, int featureAxis = 1)
    {
        OpSite site = b.Site("batch_norm_inference", x, scale, bias, mean, variance);
        int axis = site.Axis(featureAxis, x.Rank);
        foreach (Node vector in new[] { scale, bias, mean, variance })
        {
            site.Require(
                vector.Rank == 1 && !vector.Shape[0].ProvablyDiffers(x.Shape[axis]), DiagnosticId.ShapeMismatch,
                $"{vector.Type} does not hold one number for each of the {x.Shape[axis]} features of {x.Type}");
        }
        return b.Widened(x, wide =>
        {
            Node[] p = [.. new[] { scale, bias, mean, variance }.Select(v => b.Convert(v, wide.DType))];
            Node factor = b.Multiply(p[0], b.ReciprocalSquareRoot(b.Add(p[3], b.Like(p[3], epsilon))));
            Node centered = b.Subtract(wide, b.BroadcastAlong(p[2], wide.Shape, axis));
            return b.Add(
                b.Multiply(centered, b.BroadcastAlong(factor, wide.Shape, axis)), b.BroadcastAlong(p[1], wide.Shape, axis));
        });
    }

    /// <summary>Group normalization: features are cut into groups, each normalized with all its positions.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating, of shape [batch, features, spatial..].</param>
    /// <param name="groups">The number of groups; divides the features.</param>
    /// <param name="scale">One number per feature; null for 1.</param>
    /// <param name="bias">One number per feature; null for 0.</param>
    /// <param name="epsilon">Keeps the divisor from 0.</param>
    public static Node GroupNorm(
        this GraphBuilder b, Node x, long groups, Node? scale = null, Node? bias = null, double epsilon = 1e-5)
    {
        OpSite site = b.Site("group_norm", x);
        site.Require(x.Rank >= 2, DiagnosticId.RankMismatch, $"{x.Type} is not of shape [batch, features, spatial..]");
        site.Require(
            groups > 0 && Dim.TryDivideExact(x.Shape[1], groups, out _), DiagnosticId.BadAttribute,
            $"{x.Shape[1]} features of {x.Type} cannot be cut into {groups} groups");
        Dim.TryDivideExact(x.Shape[1], groups, out Dim groupSize);
        return b.Widened(x, wide =>
        {
            Node grouped = b.Reshape(
                wide, Shape.From([x.Shape[0], groups, groupSize, .. x.Shape.Skip(2)]));
            Node standard = b.Reshape(
                Standardize(b, grouped, Axes.Range(2, grouped.Rank - 2), epsilon), x.Shape);
            return ScaleAndShift(b, standard, PerFeature(scale), PerFeature(bias));
        });

        Node? PerFeature(Node? vector) => vector is null ? null : b.BroadcastAlong(vector, x.Shape, 1);
    }

    /// <summary>Instance normalization: each feature of each example is normalized over its positions.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating, of shape [batch, features, spatial..].</param>
    /// <param name="scale">One number per feature; null for 1.</param>
    /// <param name="bias">One number per feature; null for 0.</param>
    /// <param name="epsilon">Keeps the divisor from 0.</param>
    public static Node InstanceNorm(
        this GraphBuilder b, Node x, Node? scale = null, Node? bias = null, double epsilon = 1e-5)
    {
        b.Site("instance_norm", x).Require(
            x.Rank >= 2, DiagnosticId.RankMismatch, $"{x.Type} is not of shape [batch, features, spatial..]");
        return b.Widened(x, wide => ScaleAndShift(
            b, Standardize(b, wide, Axes.Range(2, x.Rank - 2), epsilon), PerFeature(scale), PerFeature(bias)));

        Node? PerFeature(Node? vector) => vector is null ? null : b.BroadcastAlong(vector, x.Shape, 1);
    }

    /// <summary>Divides by the L1 or L2 norm along an axis; a zero vector stays zero when <paramref name="epsilon"/> is not 0.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Floating.</param>
    /// <param name="axis">The axis; negative from the end.</param>
    /// <param name="order">1 or 2.</param>
    /// <param name="epsilon">The smallest divisor.</param>
    public static Node LpNormalize(this GraphBuilder b, Node x, int axis = -1, int order = 2, double epsilon = 0)
    {
        OpSite site = b.Site("lp_normalize", x);
        Axes axes = [site.Axis(axis, x.Rank)];
        site.Require(order is 1 or 2, DiagnosticId.BadAttribute, $"the order is {order}, only 1 and 2 are known");
        return b.Widened(x, wide =>
        {
            Node norm = order == 1 ? b.ReduceL1(wide, axes) : b.ReduceL2(wide, axes);
            norm = epsilon == 0 ? norm : b.Maximum(norm, b.Like(norm, epsilon));
            return b.Divide(wide, b.BroadcastBack(norm, wide.Shape, axes));
        });
    }

    /// <summary>Subtracts the mean and divides by the standard deviation over axes.</summary>
    internal static Node Standardize(GraphBuilder b, Node x, Axes axes, double epsilon)
    {
        Node mean = ReductionComposites.Mean(b, x, axes);
        Node centered = b.Subtract(x, b.BroadcastBack(mean, x.Shape, axes));
        Node variance = ReductionComposites.Mean(b, b.Multiply(centered, centered), axes);
        Node inverse = b.ReciprocalSquareRoot(b.Add(variance, b.Like(variance, epsilon)));
        return b.Multiply(centered, b.BroadcastBack(inverse, x.Shape, axes));
    }

    private static Node ScaleAndShift(GraphBuilder b, Node x, Node? scale, Node? bias)
    {
        Node scaled = scale is null ? x : b.Multiply(x, b.BroadcastTo(b.Convert(scale, x.DType), x.Shape));
        return bias is null ? scaled : b.Add(scaled, b.BroadcastTo(b.Convert(bias, x.DType), x.Shape));
    }
}
