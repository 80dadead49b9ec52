using Graphene.Runtime;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

internal sealed class MetricTests
{
    private static readonly Literal Scores = Literal.From<float>([5, 1, 2, 0, 3, 4, 1, 1, 9, 1, 0, 2], 4, 3);
    private static readonly Literal Classes = Literal.From<int>([0, 1, 2, 1], 4);

    [Test]
    public void Accuracies()
    {
        Literal oneHot = Literal.From<float>([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0], 4, 3);

        Assert.That(Of(new SparseCategoricalAccuracy(), Classes, Scores), Is.EqualTo(0.5)); // 0, not 1, 2, not 1
        Assert.That(Of(new CategoricalAccuracy(), oneHot, Scores), Is.EqualTo(0.5));
        Assert.That(Of(new SparseTopKCategoricalAccuracy(2), Classes, Scores), Is.EqualTo(0.75));
        Assert.That(Of(new SparseTopKCategoricalAccuracy(3), Classes, Scores), Is.EqualTo(1));
        Assert.That(
            Of(new BinaryAccuracy(), Literal.From<float>([1, 0, 0, 1], 4, 1), Literal.From<float>([0.9f, 0.6f, 0.1f, 0.51f], 4, 1)),
            Is.EqualTo(0.75));
    }

    [Test]
    public void AreaUnderCurveCountsPairsInTheRightOrder()
    {
        // Of the six pairs of a positive and a negative, one is in the wrong order and one is tied.
        Literal target = Literal.From<float>([1, 1, 0, 0, 0], 5, 1);
        Literal p = Literal.From<float>([0.8f, 0.4f, 0.6f, 0.4f, 0.1f], 5, 1);

        Assert.That(Of(new AUC(), target, p), Is.EqualTo(4.5 / 6).Within(1e-9));
    }

    [Test]
    public void BatchesAddUp()
    {
        var metric = new SparseCategoricalAccuracy();
        double[] first = [1, 3];
        double[] second = [2, 2];

        Assert.That(metric.Result([[first[0] + second[0]], [first[1] + second[1]]]), Is.EqualTo(0.6));
    }

    [Test]
    public void MeanOfALoss() =>
        Assert.That(
            Of(Mean.Of(new MeanSquaredError()), Literal.From<float>([1, 2], 2, 1), Literal.From<float>([2, 4], 2, 1)),
            Is.EqualTo(2.5));

    private static double Of(Metric metric, Literal target, Literal prediction)
    {
        var graph = new Graph();
        Tensor t = graph.Placeholder(target.DType, ["batch", .. target.Shape.Skip(1)], "t");
        Tensor p = graph.Placeholder(prediction.DType, ["batch", .. prediction.Shape.Skip(1)], "p");
        using var session = new Session(graph, new ReferenceCompiler());
        Literal[] sums = session.Run([.. metric.Sums(t, p)], [(t, target), (p, prediction)]);
        Assert.That(sums, Has.Length.EqualTo(metric.SumCount));
        return metric.Result([.. sums.Select(s => s.ToDoubles())]);
    }
}
