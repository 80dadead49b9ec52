using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Normalization by mean and variance, over the batch, an instance, a layer or a group.</summary>
internal static class Normalization
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "BatchNormalization", 1, BatchNormalization),
        new("", "InstanceNormalization", 1, c => c.Output(0, c.B.InstanceNorm(
            c.Input(0), c.Input(1), c.Input(2), c.Float("epsilon", 1e-5f)))),
        new("", "LayerNormalization", 17, LayerNormalization),
        new("", "RMSNormalization", 23, c => c.Output(0, c.B.RmsNorm(
            c.Input(0), c.Input(1), Axis(c), c.Float("epsilon", 1e-5f)))),
        new("", "GroupNormalization", 18, GroupNormalizationPerGroup),
        new("", "GroupNormalization", 21, c => c.Output(0, c.B.GroupNorm(
            c.Input(0), c.Int("num_groups"), c.Input(1), c.Input(2), c.Float("epsilon", 1e-5f)))),
        new("", "MeanVarianceNormalization", 9, MeanVarianceNormalization),
        new("", "LRN", 1, c => c.Output(0, c.B.LocalResponseNorm(
            c.Input(0), c.Int("size"), c.Float("alpha", 1e-4f), c.Float("beta", 0.75f), c.Float("bias", 1)))),
        new("", "LpNormalization", 1, LpNormalization),
    ];

    private static int Axis(OperatorCall c) => c.NormalAxis(c.Int("axis", -1), c.Value(0).Rank);

    private static void BatchNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        double epsilon = c.Float("epsilon", 1e-5f);
        int axis = x.Rank == 1 ? 0 : 1;
        if (c.Int("training_mode", 0) == 0)
        {
            if (c.Wants(1))
            {
                throw c.Unsupported(
                    "BatchNormalization gives running statistics outside of training", "only the first output is known then");
            }
            c.Output(0, b.BatchNormInference(x, c.Input(1), c.Input(2), c.Input(3), c.Input(4), epsilon, axis));
            return;
        }
        // The statistics of this batch; outputs 1 and 2 move the running ones towards them.
        Axes axes = Axes.Create([axis]).Complement(x.Rank);
        Node wide = x.DType is DType.F16 or DType.BF16 ? b.Convert(x, DType.F32) : x;
        Node mean = b.ReduceMean(wide, axes);
        Node variance = b.ReduceVariance(wide, axes);
        c.Output(0, b.BatchNormInference(x, c.Input(1), c.Input(2), mean, variance, epsilon, axis));
        double momentum = c.Float("momentum", 0.9f);
        c.Output(1, Mix(b, c.Input(3), mean, momentum));
        c.Output(2, Mix(b, c.Input(4), variance, momentum));
    }

    private static Node Mix(GraphBuilder b, Node running, Node now, double momentum)
    {
        Node old = b.Convert(running, now.DType);
        Node mixed = b.Add(b.Multiply(old, b.Like(old, momentum)), b.Multiply(now, b.Like(now, 1 - momentum)));
        return b.Convert(mixed, running.DType);
    }

    private static void LayerNormalization(OperatorCall c)
    {
        double epsilon = c.Float("epsilon", 1e-5f);
        c.Output(0, c.B.LayerNorm(c.Input(0), c.Input(1), c.Optional(2), Axis(c), epsilon));
        if (c.Wants(1) || c.Wants(2))
        {
            (Node mean, Node inverse) = c.B.LayerNormStatistics(c.Input(0), Axis(c), epsilon);
            c.Output(1, mean);
            c.Output(2, inverse);
        }
    }

    // Before version 21 scale and bias were per group.
    private static void GroupNormalizationPerGroup(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        long groups = c.Int("num_groups");
        if (x.Rank < 2 || groups < 1 || !Dim.TryDivideExact(x.Shape[1], groups, out Dim size))
        {
            throw c.Bad($"GroupNormalization of {x.Type} in {groups} groups", "the groups must divide the channels");
        }
        c.Output(0, b.GroupNorm(x, groups, PerChannel(c.Input(1)), PerChannel(c.Input(2)), c.Float("epsilon", 1e-5f)));

        Node PerChannel(Node vector) => b.Reshape(b.BroadcastInDim(vector, [groups, size], [0]), [x.Shape[1]]);
    }

    // (x - mean) / (deviation + 1e-9)
    private static void MeanVarianceNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        int[] axes = c.NormalAxes(c.Ints("axes") ?? [0, 2, 3], c.Value(0).Rank);
        Array.Sort(axes);
        c.Output(0, b.Wide(c.Input(0), x =>
        {
            Node centered = b.Subtract(x, b.BroadcastBack(b.ReduceMean(x, axes), x.Shape, Axes.Create(axes)));
            Node deviation = b.ReduceStandardDeviation(x, axes);
            Node divisor = b.Add(deviation, b.Like(deviation, 1e-9));
            return b.Divide(centered, b.BroadcastBack(divisor, x.Shape, Axes.Create(axes)));
        }));
    }

    // Where everything is 0 the result is 0.
    private static void LpNormalization(OperatorCall c)
    {
        GraphBuilder b = c.B;
        long p = c.Int("p", 2);
        if (p is not (1 or 2))
        {
            throw c.Bad($"LpNormalization has p = {p}", "it must be 1 or 2");
        }
        Axes axes = [Axis(c)];
        c.Output(0, b.Wide(c.Input(0), x =>
        {
            Node norm = p == 1 ? b.ReduceL1(x, axes) : b.ReduceL2(x, axes);
            Node wide = b.BroadcastBack(norm, x.Shape, axes);
            return b.Select(b.Equal(wide, b.Like(x, 0)), b.Like(x, 0), b.Divide(x, wide));
        }));
    }
}
