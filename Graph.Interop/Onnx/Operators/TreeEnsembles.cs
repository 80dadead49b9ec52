using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Tree ensembles in their three encodings, all turned into a <see cref="Forest"/>.</summary>
internal static class TreeEnsembles
{
    public static void Regressor(OperatorCall c)
    {
        int targets = (int)Math.Clamp(c.Int("n_targets", 1), 1, 1 << 20);
        Forest forest = FromNodes(c, "target", targets);
        c.Output(0, Ml.PostTransform(c, Scores(c, forest, c.Text("aggregate_function", "SUM"))));
    }

    // With weights for one class only, the ensemble decides between two: its score is that of the second one.
    public static void Classifier(OperatorCall c)
    {
        GraphBuilder b = c.B;
        IReadOnlyList<long> labels = Ml.LabelList(c, "classlabels_int64s");
        Forest forest = FromNodes(c, "class", labels.Count);
        Node scores = Scores(c, forest, "SUM");
        bool oneClass = labels.Count == 2 && (c.Ints("class_ids") ?? []).Distinct().Count() == 1;
        if (!oneClass)
        {
            c.Output(0, Ml.Labels(c, scores, labels));
            c.Output(1, Ml.PostTransform(c, scores));
            return;
        }
        int column = (int)(c.Ints("class_ids") ?? [0])[0];
        Node score = Slicing.Range(b, scores, 1, Math.Clamp(column, 0, 1), 1);
        bool logistic = c.Text("post_transform", "NONE") == "LOGISTIC";
        Node second = logistic ? b.Logistic(score) : score;
        bool weightsArePositive = (c.Attributes.Floats("class_weights") ?? []).All(w => w >= 0);
        Node first = logistic || weightsArePositive ? b.Subtract(b.Like(second, 1), second) : b.Negate(second);
        Node both = b.Concatenate([first, second], 1);
        Node limit = b.Like(score, logistic || !weightsArePositive ? 0 : 0.5);
        Node chosen = b.Convert(b.Greater(score, limit), DType.I64);
        c.Output(0, b.Take(b.Constant(Literal.From<long>([.. labels], labels.Count)), b.Squeeze(chosen, 1), 0));
        c.Output(1, both);
    }

    // Version 5: nodes and leaves apart, values as tensors, functions by number.
    public static void Ensemble(OperatorCall c)
    {
        Forest forest = ForestReader.FromTensors(c);
        string aggregate = c.Int("aggregate_function", 1) switch
        {
            0 => "AVERAGE",
            1 => "SUM",
            2 => "MIN",
            3 => "MAX",
            var other => throw c.Bad($"TreeEnsemble has the aggregate_function {other}", "it must be 0 to 3"),
        };
        if (c.Int("post_transform", 0) != 0)
        {
            throw c.Unsupported($"TreeEnsemble has the post_transform {c.Int("post_transform", 0)}", "only 0 (none) is known");
        }
        c.Output(0, Scores(c, forest, aggregate));
    }

    private static Forest FromNodes(OperatorCall c, string prefix, int targets) => ForestReader.FromLists(c, prefix, targets);

    private static Node Scores(OperatorCall c, Forest forest, string aggregate)
    {
        GraphBuilder b = c.B;
        Node x = c.Input(0);
        x = b.Convert(x.Rank == 1 ? b.Unsqueeze(x, 0) : x, x.DType == DType.F64 ? DType.F64 : DType.F32);
        Node leaves = forest.Leaves(b, x);
        Node weights = b.Take(forest.Weights(b, x.DType), leaves, 0);
        Node scores = aggregate switch
        {
            "SUM" => b.ReduceSum(weights, [1]),
            "AVERAGE" => b.ReduceMean(weights, [1]),
            "MIN" => b.ReduceMin(weights, [1]),
            "MAX" => b.ReduceMax(weights, [1]),
            _ => throw c.Bad($"{c.Proto.OpType} has the aggregate_function '{aggregate}'", "it must be SUM, AVERAGE, MIN or MAX"),
        };
        float[] start = [.. c.Attributes.Floats("base_values") ?? []];
        if (start.Length == 0)
        {
            return scores;
        }
        return start.Length == 1 ? b.Add(scores, b.Like(scores, start[0]))
            : start.Length == forest.Targets
                ? b.Add(scores, b.AlongAxis(b.Convert(b.Constant(Literal.From<float>(start, start.Length)), x.DType), scores.Shape, 1))
            : throw c.Bad($"{c.Proto.OpType} has {start.Length} base values for {forest.Targets} targets", "there must be one for each");
    }
}
