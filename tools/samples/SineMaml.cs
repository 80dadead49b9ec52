using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples;

/// <summary>
/// Weights from which one step of gradient descent on a few points learns a new sine (Finn et al., 2017). The gradient of the loss
/// after that step goes through the step's own gradient: second derivatives.
/// </summary>
public static class SineMaml
{
    private const int Points = 10;
    private const double InnerRate = 0.05;

    /// <summary>Trains, then adapts to sines that were not trained on.</summary>
    /// <returns>The mean loss on new sines before and after the one step.</returns>
    public static (double Before, double After) Run(IGraphCompiler compiler, int steps = 600, int tasks = 4)
    {
        var graph = new Graph("maml");
        Variable[] weights = Weights(graph);
        Tensor[] now = [.. weights.Select(w => w.Read())];
        (Tensor X, Tensor Y)[] support = [.. Enumerable.Range(0, tasks).Select(i => Placeholders(graph, $"support{i}"))];
        (Tensor X, Tensor Y)[] query = [.. Enumerable.Range(0, tasks).Select(i => Placeholders(graph, $"query{i}"))];
        Tensor[] before = [.. query.Select(q => Loss(now, q))];
        Tensor[] after = [.. support.Zip(query).Select(t => Loss(Adapted(graph, now, t.First), t.Second))];
        Tensor meanAfter = graph.Stack(after).ReduceMean();
        Operation step = new Adam(2e-3).Minimize(meanAfter, weights);

        using var session = new Session(graph, compiler);
        var random = new RandomNumbers(5);
        for (int i = 0; i < steps; i++)
        {
            session.Run([], Tasks(random, support, query), [step]);
        }
        const int Trials = 16;
        double[] losses = new double[2];
        for (int i = 0; i < Trials; i++)
        {
            Literal[] both = session.Run([graph.Stack(before).ReduceMean(), meanAfter], Tasks(random, support, query));
            losses[0] += both[0][0].AsDouble / Trials;
            losses[1] += both[1][0].AsDouble / Trials;
        }
        return (losses[0], losses[1]);
    }

    /// <summary>The weights after one step of gradient descent; differentiable.</summary>
    internal static Tensor[] Adapted(Graph graph, Tensor[] weights, (Tensor X, Tensor Y) points)
    {
        Tensor[] gradients = graph.Gradients([Loss(weights, points)], weights);
        return [.. weights.Zip(gradients).Select(p => p.First - (p.Second * InnerRate))];
    }

    // Two hidden layers of 24.
    private static Variable[] Weights(Graph graph)
    {
        Shape[] shapes = [[1, 24], [24], [24, 24], [24], [24, 1], [1]];
        return [.. shapes.Select((shape, i) => graph.Variable(
            (shape.Rank == 2 ? Initializers.HeNormal : Initializers.Zeros).Create(new TensorType(DType.F32, shape), (ulong)i + 1),
            $"w{i}"))];
    }

    /// <summary>The mean squared error of the network with given weights.</summary>
    internal static Tensor Loss(Tensor[] w, (Tensor X, Tensor Y) points)
    {
        Tensor hidden = (points.X.MatMul(w[0]) + w[1]).Tanh();
        Tensor second = (hidden.MatMul(w[2]) + w[3]).Tanh();
        return (second.MatMul(w[4]) + w[5] - points.Y).Square().ReduceMean();
    }

    private static (Tensor X, Tensor Y) Placeholders(Graph graph, string name) => (
        graph.Placeholder(DType.F32, [Points, 1], name + "_x"), graph.Placeholder(DType.F32, [Points, 1], name + "_y"));

    // Each task is a sine of its own amplitude and phase, known at some points and asked for at others.
    private static (Tensor Tensor, Feed Value)[] Tasks(
        RandomNumbers random, (Tensor X, Tensor Y)[] support, (Tensor X, Tensor Y)[] query)
    {
        var feeds = new List<(Tensor, Feed)>();
        for (int task = 0; task < support.Length; task++)
        {
            double amplitude = 0.5 + (1.5 * random.NextUniform());
            double phase = Math.PI * random.NextUniform();
            foreach ((Tensor x, Tensor y) in new[] { support[task], query[task] })
            {
                float[] xs = [.. Enumerable.Range(0, Points).Select(_ => (float)(4 * random.NextUniform()) - 2)];
                feeds.Add((x, xs));
                feeds.Add((y, Array.ConvertAll(xs, at => (float)(amplitude * Math.Sin(at + phase)))));
            }
        }
        return [.. feeds];
    }
}
