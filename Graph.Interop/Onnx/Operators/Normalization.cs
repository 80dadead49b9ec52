using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Normalization by mean and variance, over the batch, an instance, a layer or a group.</summary>
internal static class Normalization
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "BatchNormalization", 1, BatchNormalization),
        new("", "InstanceNormalization", 1, InstanceNormalization),
        new("", "LayerNormalization", 17, LayerNormalization),
        new("", "RMSNormalization", 23, RmsNormalization),
        new("", "GroupNormalization", 18, GroupNormalization),
        new("", "MeanVarianceNormalization", 9, MeanVarianceNormalization),
        new("", "LRN", 1, LocalResponse),
        new("", "LpNormalization", 1, LpNormalization),
    ];

    /// <summary>(x - mean) / sqrt(variance + epsilon) over axes, with the mean and the inverse deviation, which keep the axes.</summary>
    public static (Node Normal, Node Mean, Node Inverse) Standardize(GraphBuilder b, Node x, Axes axes, double epsilon)
    {
        Axes kept = axes.Complement(x.Rank);
        Node mean = Reductions.Mean(b, x, axes);
        Node centered = b.Subtract(x, b.BroadcastInDim(mean, x.Shape, kept));
        Node variance = Reductions.Mean(b, b.Multiply(centered, centered), axes);
        Node inverse = b.ReciprocalSquareRoot(b.Add(variance, b.Like(variance, epsilon)));
        Node normal = b.Multiply(centered, b.BroadcastInDim(inverse, x.Shape, kept));
        return (normal, Reductions.KeepAxes(b, mean, x.Shape, axes), Reductions.KeepAxes(b, inverse, x.Shape, axes));
    }

    // With statistics given: x * s + t, s = scale / sqrt(variance + epsilon), t = bias - mean * s.
    private static void BatchNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        DType work = x.DType is DType.F16 or DType.BF16 ? DType.F32 : x.DType;
        Node scale = b.Convert(c.Input(1), work);
        Node bias = b.Convert(c.Input(2), work);
        Node mean = b.Convert(c.Input(3), work);
        Node variance = b.Convert(c.Input(4), work);
        if (c.Int("training_mode", 0) != 0)
        {
            (mean, variance) = BatchStatistics(c, b.Convert(x, work), mean, variance);
        }
        else if (c.Wants(1))
        {
            throw c.Unsupported("BatchNormalization gives running statistics outside of training", "only the first output is known then");
        }
        Node inverse = b.ReciprocalSquareRoot(b.Add(variance, b.Like(variance, c.Float("epsilon", 1e-5f))));
        Node factor = b.Multiply(scale, inverse);
        Node shift = b.Subtract(bias, b.Multiply(mean, factor));
        int axis = x.Rank == 1 ? 0 : 1;
        Node y = b.Add(
            b.Multiply(b.Convert(x, work), b.AlongAxis(factor, x.Shape, axis)), b.AlongAxis(shift, x.Shape, axis));
        c.Output(0, b.Convert(y, x.DType));
    }

    // The statistics of this batch; outputs 1 and 2 move the running ones towards them.
    private static (Node Mean, Node Variance) BatchStatistics(OperatorCall c, Node x, Node runningMean, Node runningVariance)
    {
        GraphBuilder b = c.B;
        Axes axes = Axes.Create([1]).Complement(x.Rank);
        Node mean = Reductions.Mean(b, x, axes);
        Node centered = b.Subtract(x, b.AlongAxis(mean, x.Shape, 1));
        Node variance = Reductions.Mean(b, b.Multiply(centered, centered), axes);
        double momentum = c.Float("momentum", 0.9f);
        c.Output(1, b.Convert(Mix(b, runningMean, mean, momentum), c.Input(3).DType));
        c.Output(2, b.Convert(Mix(b, runningVariance, variance, momentum), c.Input(4).DType));
        return (mean, variance);
    }

    private static Node Mix(GraphBuilder b, Node old, Node now, double momentum) =>
        b.Add(b.Multiply(old, b.Like(old, momentum)), b.Multiply(now, b.Like(now, 1 - momentum)));

    private static void InstanceNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        c.Output(0, b.Wide(x, v =>
        {
            Node normal = Standardize(b, v, Axes.Range(2, v.Rank - 2), c.Float("epsilon", 1e-5f)).Normal;
            Node scaled = b.Multiply(normal, b.AlongAxis(b.Convert(c.Input(1), v.DType), v.Shape, 1));
            return b.Add(scaled, b.AlongAxis(b.Convert(c.Input(2), v.DType), v.Shape, 1));
        }));
    }

    // stash_type 1: the statistics are computed in f32, the normalized values converted back before scale and bias.
    private static void LayerNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", -1), x.Rank);
        DType stash = c.Int("stash_type", 1) == 1 && x.DType != DType.F64 ? DType.F32 : x.DType;
        (Node normal, Node mean, Node inverse) = Standardize(
            b, b.Convert(x, stash), Axes.Range(axis, x.Rank - axis), c.Float("epsilon", 1e-5f));
        Node scaled = b.Multiply(b.Convert(normal, x.DType), b.BroadcastTo(c.Input(1), x.Shape));
        c.Output(0, c.Optional(2) is { } bias ? b.Add(scaled, b.BroadcastTo(bias, x.Shape)) : scaled);
        c.Output(1, mean);
        c.Output(2, inverse);
    }

    private static void RmsNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", -1), x.Rank);
        var axes = Axes.Range(axis, x.Rank - axis);
        DType stash = c.Int("stash_type", 1) == 1 && x.DType != DType.F64 ? DType.F32 : x.DType;
        Node wide = b.Convert(x, stash);
        Node square = Reductions.Mean(b, b.Multiply(wide, wide), axes);
        Node inverse = b.ReciprocalSquareRoot(b.Add(square, b.Like(square, c.Float("epsilon", 1e-5f))));
        Node normal = b.Multiply(wide, b.BroadcastInDim(inverse, x.Shape, axes.Complement(x.Rank)));
        c.Output(0, b.Multiply(b.Convert(normal, x.DType), b.BroadcastTo(c.Input(1), x.Shape)));
    }

    // Since version 21 scale and bias are per channel, before that per group.
    private static void GroupNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        long groups = c.Int("num_groups");
        if (x.Rank < 2 || groups < 1)
        {
            throw c.Bad($"GroupNormalization of {x.Type} in {groups} groups", "it takes channels and at least one group");
        }
        Dim perGroup = Dim.FloorDiv(x.Shape[1], groups);
        Shape split = Shape.From([x.Shape[0], groups, perGroup, .. x.Shape.Skip(2)]);
        DType stash = c.Int("stash_type", 1) == 1 && x.DType != DType.F64 ? DType.F32 : x.DType;
        Node normal = Standardize(
            b, b.Reshape(b.Convert(x, stash), split), Axes.Range(2, split.Rank - 2), c.Float("epsilon", 1e-5f)).Normal;
        Node scale = b.Convert(c.Input(1), stash);
        Node bias = b.Convert(c.Input(2), stash);
        if (c.Version < 21)
        {
            Node grouped = b.Add(b.Multiply(normal, b.AlongAxis(scale, split, 1)), b.AlongAxis(bias, split, 1));
            c.Output(0, b.Convert(b.Reshape(grouped, x.Shape), x.DType));
            return;
        }
        Node whole = b.Reshape(normal, x.Shape);
        c.Output(0, b.Convert(
            b.Add(b.Multiply(whole, b.AlongAxis(scale, x.Shape, 1)), b.AlongAxis(bias, x.Shape, 1)), x.DType));
    }

    // (x - mean) / (deviation + 1e-9), with the variance as mean of squares minus square of mean in the definition.
    private static void MeanVarianceNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Axes axes = Axes.Create(c.NormalAxes(c.Ints("axes") ?? [0, 2, 3], x.Rank));
        c.Output(0, b.Wide(x, v =>
        {
            Axes kept = axes.Complement(v.Rank);
            Node centered = b.Subtract(v, b.BroadcastInDim(Reductions.Mean(b, v, axes), v.Shape, kept));
            Node deviation = b.SquareRoot(Reductions.Mean(b, b.Multiply(centered, centered), axes));
            return b.Divide(centered, b.BroadcastInDim(b.Add(deviation, b.Like(deviation, 1e-9)), v.Shape, kept));
        }));
    }

    // y = x / (bias + alpha / size * sum of squares over neighbouring channels)^beta.
    private static void LocalResponse(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        long size = c.Int("size");
        if (x.Rank < 2 || size < 1)
        {
            throw c.Bad($"LRN of {x.Type} over {size} channels", "it takes channels and a positive size");
        }
        WindowDim[] window = [.. Enumerable.Repeat(WindowDim.Identity, x.Rank)];
        window[1] = new WindowDim(size, Low: (size - 1) / 2, High: size / 2);
        c.Output(0, b.Wide(x, v =>
        {
            Node squares = b.ReduceWindow(b.Multiply(v, v), b.Constant(v.DType, 0), window, ElementwiseTable.Add);
            Node sum = b.Add(
                b.Like(v, c.Float("bias", 1)), b.Multiply(squares, b.Like(v, c.Float("alpha", 1e-4f) / size)));
            return b.Divide(v, b.Power(sum, b.Like(v, c.Float("beta", 0.75f))));
        }));
    }

    private static void LpNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        int axis = c.NormalAxis(c.Int("axis", -1), x.Rank);
        long p = c.Int("p", 2);
        if (p is not (1 or 2))
        {
            throw c.Bad($"LpNormalization has p = {p}", "it must be 1 or 2");
        }
        c.Output(0, b.Wide(x, v =>
        {
            Node norm = p == 1
                ? b.ReduceSum(b.Abs(v), [axis])
                : b.SquareRoot(b.ReduceSum(b.Multiply(v, v), [axis]));
            Node wide = b.BroadcastInDim(norm, v.Shape, Axes.Create([axis]).Complement(v.Rank));
            // Where everything is 0 the result is 0.
            Node isZero = b.Compare(wide, b.Like(v, 0), CompareDirection.EQ);
            return b.Select(isZero, b.Like(v, 0), b.Divide(v, wide));
        }));
    }
}
