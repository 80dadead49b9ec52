using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Losses over classes along dimension 1.</summary>
internal static class Losses
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "NegativeLogLikelihoodLoss", 12, c => c.Output(0, NegativeLogLikelihood(c, c.Input(0)))),
        new("", "SoftmaxCrossEntropyLoss", 12, SoftmaxCrossEntropy),
    ];

    private static void SoftmaxCrossEntropy(OperatorCall c)
    {
        Node logarithms = c.B.LogSoftmax(c.Input(0), 1);
        c.Output(0, NegativeLogLikelihood(c, logarithms));
        c.Output(1, logarithms);
    }

    // Minus the entry of each target's class, times the weight of the class; targets to be ignored weigh nothing.
    private static Node NegativeLogLikelihood(OperatorCall c, Node x)
    {
        GraphBuilder b = c.B;
        if (x.Rank < 2)
        {
            throw c.Bad($"{c.Proto.OpType} of {x.Type}", "it takes a batch and classes");
        }
        Node targets = b.Convert(c.Input(1), DType.I64);
        Axes others = Axes.Create([1]).Complement(x.Rank);
        Node wide = b.BroadcastInDim(targets, x.Shape, others);
        Node isTarget = b.Equal(b.Iota(new TensorType(DType.I64, x.Shape), 1), wide);
        if (c.Attributes.Int("ignore_index") is { } ignored)
        {
            isTarget = b.And(isTarget, b.NotEqual(wide, b.Like(wide, ignored)));
        }
        Node classWeights = c.Optional(2) is { } given ? b.AlongAxis(given, x.Shape, 1) : b.Like(x, 1);
        Node weights = b.Select(isTarget, classWeights, b.Like(x, 0));
        Node losses = b.Select(isTarget, b.Negate(b.Multiply(x, classWeights)), b.Like(x, 0));
        Node each = b.ReduceSum(losses, [1]);
        switch (c.Text("reduction", "mean"))
        {
            case "none":
                return each;
            case "sum":
                return b.ReduceSum(each, Axes.Range(each.Rank));
            case "mean":
                Node total = b.ReduceSum(b.ReduceSum(weights, [1]), Axes.Range(each.Rank));
                return b.Divide(b.ReduceSum(each, Axes.Range(each.Rank)), total);
            case var other:
                throw c.Bad($"{c.Proto.OpType} has the reduction '{GraphOrder.Shorten(other)}'", "it must be none, sum or mean");
        }
    }
}
