using Graphene.Runtime;
using Graphene.Samples;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

internal sealed class SecondOrderTests
{
    // The loss after a step of gradient descent, differentiated by the weights before it, against central differences in f64.
    [Test]
    public void GradientsGoThroughAStepOfGradientDescent()
    {
        var graph = new Graph();
        Shape[] shapes = [[1, 3], [3], [3, 3], [3], [3, 1], [1]];
        Tensor[] weights = [.. shapes.Select((s, i) => graph.Placeholder(DType.F64, s, $"w{i}"))];
        Literal[] values = [.. shapes.Select((s, i) =>
            Initializers.RandomNormal(0, 1).Create(new TensorType(DType.F64, s), (ulong)i))];
        (Tensor X, Tensor Y) support =
            (graph.Constant(new double[,] { { 0.5 }, { -1 } }), graph.Constant(new double[,] { { 1 }, { 0.3 } }));
        (Tensor X, Tensor Y) query = (graph.Constant(new double[,] { { 0.1 }, { 2 } }), graph.Constant(new double[,] { { -1 }, { 0.7 } }));
        Tensor loss = SineMaml.Loss(SineMaml.Adapted(graph, weights, support), query);
        Tensor[] gradients = graph.Gradients([loss], weights);
        using var session = new Session(graph, new ReferenceCompiler());
        Literal[] found = session.Run(gradients, Feeds(values));

        for (int w = 0; w < shapes.Length; w++)
        {
            for (int at = 0; at < values[w].ElementCount; at++)
            {
                const double Step = 1e-5;
                double slope = (LossAt(w, at, Step) - LossAt(w, at, -Step)) / (2 * Step);
                Assert.That(found[w][at].AsDouble, Is.EqualTo(slope).Within(1e-6 * Math.Max(1, Math.Abs(slope))), $"w{w}[{at}]");
            }
        }

        double LossAt(int w, int at, double change)
        {
            double[] moved = values[w].ToDoubles();
            moved[at] += change;
            Literal[] all = [.. values];
            all[w] = Literal.From<double>(moved, shapes[w].ToStatic());
            return session.Run([loss], Feeds(all))[0][0].AsDouble;
        }

        (Tensor, Feed)[] Feeds(Literal[] all) => [.. weights.Zip(all).Select(p => (p.First, (Feed)p.Second))];
    }
}
