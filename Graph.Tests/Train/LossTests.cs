using Graphene.Runtime;
using Graphene.Train;
using NUnit.Framework;
using static Graphene.Tests.Training.Reference;

namespace Graphene.Tests.Training;

internal sealed class LossTests
{
    private static readonly double[,] Scores = { { 1, -2, 0.5 }, { 30, 0, -100 } };
    private static readonly long[] Classes = [2, 0];

    [Test]
    public void CrossentropiesOfScores()
    {
        double[] expected = [.. Enumerable.Range(0, 2).Select(n =>
            Math.Log(Enumerable.Range(0, 3).Sum(k => Math.Exp(Scores[n, k]))) - Scores[n, Classes[n]])];
        Literal oneHot = Literal.From<float>([0, 0, 1, 1, 0, 0], 2, 3);
        Literal scores = ToFloats(Scores);

        Assert.That(Of(new SparseCategoricalCrossentropy(fromLogits: true), Literal.From<long>(Classes, 2), scores),
            Is.EqualTo(expected.Average()).Within(1e-6));
        Assert.That(Of(new SparseCategoricalCrossentropy(fromLogits: true), Literal.From<long>(Classes, 2, 1), scores),
            Is.EqualTo(expected.Average()).Within(1e-6), "a column of numbers counts as numbers");
        Assert.That(Of(new CategoricalCrossentropy(fromLogits: true, reduction: LossReduction.Sum), oneHot, scores),
            Is.EqualTo(expected.Sum()).Within(1e-6));
    }

    [Test]
    public void CrossentropiesOfProbabilities()
    {
        Literal p = Literal.From<float>([0.2f, 0.5f, 0.3f, 0.9f, 0.05f, 0.05f], 2, 3);
        double expected = -(Math.Log(0.3) + Math.Log(0.9)) / 2;

        Assert.That(Of(new SparseCategoricalCrossentropy(), Literal.From<long>(Classes, 2), p), Is.EqualTo(expected).Within(1e-6));
        Literal smooth = Literal.From<float>([0, 0, 1, 1, 0, 0], 2, 3);
        double smoothed = 0;
        foreach ((double t, double q) in smooth.ToDoubles().Zip(p.ToDoubles()))
        {
            smoothed -= ((0.9 * t) + (0.1 / 3)) * Math.Log(q) / 2;
        }
        Assert.That(Of(new CategoricalCrossentropy(labelSmoothing: 0.1), smooth, p), Is.EqualTo(smoothed).Within(1e-6));
    }

    [Test]
    public void BinaryCrossentropyOfScoresIsThatOfProbabilities()
    {
        double[] scores = [-3, 0.5, 2, 0];
        Literal target = Literal.From<float>([0, 1, 1, 0], 2, 2);
        double expected = scores.Zip(target.ToDoubles())
            .Average(p => -Math.Log(p.Second == 1 ? Sigmoid(p.First) : 1 - Sigmoid(p.First)));
        Literal logits = Literal.From<float>(Array.ConvertAll(scores, s => (float)s), 2, 2);
        Literal probabilities = Literal.From<float>(Array.ConvertAll(scores, s => (float)Sigmoid(s)), 2, 2);

        Assert.That(Of(new BinaryCrossentropy(fromLogits: true), target, logits), Is.EqualTo(expected).Within(1e-6));
        Assert.That(Of(new BinaryCrossentropy(), target, probabilities), Is.EqualTo(expected).Within(1e-6));
        Literal far = Literal.From<float>([-200, 200, 200, -200], 2, 2);
        Assert.That(Of(new BinaryCrossentropy(fromLogits: true), target, far), Is.Zero, "no overflow far out");
    }

    [Test]
    public void Regressions()
    {
        Literal t = Literal.From<float>([1, 2, -1, 4], 2, 2);
        Literal p = Literal.From<float>([1.5f, 2, 1, 0], 2, 2);
        double[] d = [0.5, 0, 2, -4];

        Assert.That(Of(new MeanSquaredError(), t, p), Is.EqualTo(d.Average(x => x * x)).Within(1e-6));
        Assert.That(Of(new MeanAbsoluteError(), t, p), Is.EqualTo(d.Average(Math.Abs)).Within(1e-6));
        Assert.That(Of(new Huber(), t, p), Is.EqualTo((0.125 + 0 + 1.5 + 3.5) / 4).Within(1e-6));
        Assert.That(Of(new LogCosh(), t, p), Is.EqualTo(d.Average(x => Math.Log(Math.Cosh(x)))).Within(1e-6));
        Assert.That(Of(new Hinge(), t, p), Is.EqualTo((0 + 0 + 2 + 1) / 4.0).Within(1e-6));
    }

    [Test]
    public void Divergence()
    {
        Literal t = Literal.From<float>([0.5f, 0.5f], 1, 2);
        Literal p = Literal.From<float>([0.25f, 0.75f], 1, 2);

        Assert.That(Of(new KLDivergence(), t, p), Is.EqualTo((0.5 * Math.Log(2)) + (0.5 * Math.Log(0.5 / 0.75))).Within(1e-6));
    }

    [Test]
    public void TargetsOfAnotherShapeAreRefused()
    {
        var graph = new Graph();
        Tensor p = graph.Placeholder(DType.F32, ["batch", 3], "p");
        Tensor t = graph.Placeholder(DType.F32, ["batch", 2], "t");

        foreach (Loss loss in new Loss[] { new MeanSquaredError(), new SparseCategoricalCrossentropy() })
        {
            Assert.That(
                () => loss.Call(t, p), Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(TrainDiagnostics.BadTarget));
        }
    }

    [Test]
    public void GradientOfCrossentropyIsProbabilityMinusTarget()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [2, 3], "x");
        Tensor loss = new SparseCategoricalCrossentropy(fromLogits: true, LossReduction.Sum).Call(graph.Constant(Classes), x);
        Tensor gradient = graph.Gradient(loss, x);
        using var session = new Session(graph, new ReferenceCompiler());

        AreNear(
            session.Run(gradient, (x, ToFloats(Scores))),
            at => (Math.Exp(Scores[at[0], at[1]]) / Enumerable.Range(0, 3).Sum(k => Math.Exp(Scores[at[0], k]))) -
                (at[1] == Classes[at[0]] ? 1 : 0), 1e-6);
    }

    private static double Of(Loss loss, Literal target, Literal prediction)
    {
        var graph = new Graph();
        Tensor t = graph.Placeholder(target.DType, ["batch", .. target.Shape.Skip(1)], "t");
        Tensor p = graph.Placeholder(prediction.DType, ["batch", .. prediction.Shape.Skip(1)], "p");
        using var session = new Session(graph, new ReferenceCompiler());
        return session.Run(loss.Call(t, p), (t, target), (p, prediction))[0].AsDouble;
    }

    private static Literal ToFloats(double[,] values) =>
        Literal.From<float>([.. values.Cast<double>().Select(x => (float)x)], values.GetLength(0), values.GetLength(1));

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
