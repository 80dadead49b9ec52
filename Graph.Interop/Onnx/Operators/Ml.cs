using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Classical machine learning: linear models and preprocessing.</summary>
internal static class Ml
{
    private const string Domain = "ai.onnx.ml";

    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new(Domain, "LinearClassifier", 1, LinearClassifier),
        new(Domain, "LinearRegressor", 1, LinearRegressor),
        new(Domain, "Normalizer", 1, c => c.Output(0, Normalizer(c))),
        new(Domain, "Scaler", 1, c => c.Output(0, Scaler(c))),
        new(Domain, "Binarizer", 1, Binarizer),
        new(Domain, "ArrayFeatureExtractor", 1, ArrayFeatureExtractor),
        new(Domain, "FeatureVectorizer", 1, c => c.Output(0, c.B.Concatenate(c.Inputs(), c.Input(0).Rank - 1))),
        new(Domain, "TreeEnsembleRegressor", 1, TreeEnsembles.Regressor),
        new(Domain, "TreeEnsembleClassifier", 1, TreeEnsembles.Classifier),
        new(Domain, "TreeEnsemble", 5, TreeEnsembles.Ensemble),
    ];

    /// <summary>The attribute post_transform applied to scores along the last dimension.</summary>
    public static Node PostTransform(OperatorCall c, Node scores)
    {
        GraphBuilder b = c.B;
        switch (c.Text("post_transform", "NONE"))
        {
            case "NONE":
                return scores;
            case "LOGISTIC":
                return b.Logistic(scores);
            case "SOFTMAX":
                return b.Softmax(scores);
            case "SOFTMAX_ZERO":
                // Softmax over the scores that are not 0; those stay 0.
                Node isZero = b.Equal(scores, b.Like(scores, 0));
                Node powers = b.Select(isZero, b.Like(scores, 0), b.Exponential(scores));
                Node sum = b.ReduceSum(powers, [scores.Rank - 1]);
                return b.Divide(powers, b.BroadcastInDim(sum, scores.Shape, Axes.Range(scores.Rank - 1)));
            case var other:
                throw c.Unsupported(
                    $"{c.Proto.OpType} has the post_transform {other}", "known are NONE, LOGISTIC, SOFTMAX and SOFTMAX_ZERO");
        }
    }

    /// <summary>The label with the highest score of each row.</summary>
    public static Node Labels(OperatorCall c, Node scores, IReadOnlyList<long> labels)
    {
        GraphBuilder b = c.B;
        Node best = b.ArgMax(scores, scores.Rank - 1);
        return b.Take(b.Constant(Literal.From<long>([.. labels], labels.Count)), best, 0);
    }

    /// <summary>The integer labels of a classifier.</summary>
    public static IReadOnlyList<long> LabelList(OperatorCall c, string attribute) => c.Ints(attribute) is { Count: > 0 } labels
        ? labels
        : throw c.Unsupported($"{c.Proto.OpType} has labels that are not integers", "Graphene has no text tensors");

    private static Node Linear(OperatorCall c, long targets)
    {
        GraphBuilder b = c.B;
        Node x = b.Convert(c.Input(0), DType.F32);
        x = x.Rank == 1 ? b.Unsqueeze(x, 0) : x;
        float[] weights = [.. c.Attributes.Floats("coefficients") ?? []];
        float[] intercepts = [.. c.Attributes.Floats("intercepts") ?? []];
        if (targets < 1 || weights.Length == 0 || weights.Length % targets != 0 || (intercepts.Length != 0 && intercepts.Length != targets))
        {
            throw c.Bad(
                $"{c.Proto.OpType} has {weights.Length} coefficients and {intercepts.Length} intercepts for {targets} targets",
                "there must be as many for each target");
        }
        Node matrix = b.Constant(Literal.From<float>(weights, targets, weights.Length / targets));
        Node product = b.DotGeneral(x, matrix, [], [], [1], [1]);
        return intercepts.Length == 0 ? product : b.Add(
            product, b.AlongAxis(b.Constant(Literal.From<float>(intercepts, targets)), product.Shape, 1));
    }

    private static void LinearRegressor(OperatorCall c) => c.Output(0, PostTransform(c, Linear(c, c.Int("targets", 1))));

    // With one row of coefficients there are two classes, and the score is that of the second.
    private static void LinearClassifier(OperatorCall c)
    {
        GraphBuilder b = c.B;
        IReadOnlyList<long> labels = LabelList(c, "classlabels_ints");
        int rows = Math.Max(1, c.Attributes.Floats("intercepts")?.Count ?? labels.Count);
        Node scores = Linear(c, rows);
        if (rows == 1 && labels.Count == 2)
        {
            bool logistic = c.Text("post_transform", "NONE") == "LOGISTIC";
            Node second = logistic ? b.Logistic(scores) : scores;
            Node first = logistic ? b.Subtract(b.Like(second, 1), second) : b.Negate(second);
            Node both = b.Concatenate([first, second], 1);
            c.Output(0, Labels(c, both, labels));
            c.Output(1, both);
            return;
        }
        c.Output(0, Labels(c, scores, labels));
        c.Output(1, PostTransform(c, scores));
    }

    private static Node Normalizer(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = b.Convert(c.Input(0), DType.F32);
        Axes last = [x.Rank - 1];
        Node size = c.Text("norm", "MAX") switch
        {
            "MAX" => b.ReduceMax(b.Abs(x), last),
            "L1" => b.ReduceSum(b.Abs(x), last),
            "L2" => b.SquareRoot(b.ReduceSum(b.Multiply(x, x), last)),
            var other => throw c.Bad($"Normalizer has the norm '{GraphOrder.Shorten(other)}'", "it must be MAX, L1 or L2"),
        };
        Node wide = b.BroadcastInDim(size, x.Shape, Axes.Range(x.Rank - 1));
        return b.Select(b.Equal(wide, b.Like(x, 0)), x, b.Divide(x, wide));
    }

    private static Node Scaler(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = b.Convert(c.Input(0), DType.F32);
        Node offset = Row(c, "offset", x, 0);
        return b.Multiply(b.Subtract(x, offset), Row(c, "scale", x, 1));
    }

    private static Node Row(OperatorCall c, string attribute, Node x, double otherwise)
    {
        float[] values = [.. c.Attributes.Floats(attribute) ?? []];
        return values.Length switch
        {
            0 => c.B.Like(x, otherwise),
            1 => c.B.Like(x, values[0]),
            _ => c.B.AlongAxis(c.B.Constant(Literal.From<float>(values, values.Length)), x.Shape, x.Rank - 1),
        };
    }

    private static void Binarizer(OperatorCall c)
    {
        Node x = c.Input(0);
        c.Output(0, c.B.Convert(c.B.Greater(x, c.B.Like(x, c.Float("threshold", 0))), x.DType));
    }

    private static void ArrayFeatureExtractor(OperatorCall c)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        Node columns = b.Reshape(c.Input(1), [c.Value(1).Shape.ElementCount]);
        Node picked = b.Take(x, columns, x.Rank - 1);
        c.Output(0, picked.Rank == 1 ? b.Unsqueeze(picked, 0) : picked);
    }
}
