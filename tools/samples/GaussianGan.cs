using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples;

/// <summary>
/// Two networks in one graph, each with its optimizer: one turns noise into numbers, the other tells them from numbers of a normal
/// distribution, until it no longer can (Goodfellow et al., 2014).
/// </summary>
public static class GaussianGan
{
    /// <summary>The distribution to learn.</summary>
    public const double Mean = 3, Deviation = 0.5;

    private const int Batch = 128;

    /// <summary>Trains both networks in turns.</summary>
    /// <returns>Mean and deviation of what the generator makes.</returns>
    public static (double Mean, double Deviation) Run(IGraphCompiler compiler, int steps = 1500)
    {
        var graph = new Graph("gan");
        var context = new LayerContext(graph, training: true, seed: 3);
        var generator = new Sequential(null, [new Dense(16, Activations.Relu), new Dense(1)], "generator");
        var critic = new Sequential(
            null, [new Dense(32, Activations.LeakyRelu), new Dense(32, Activations.LeakyRelu), new Dense(1)], "critic");

        // Noise and real numbers are made in the graph; the state of the generator of random numbers is a variable.
        Variable state = graph.Variable(Literal.From<ulong>([11, 0], 2), "random", trainable: false);
        (Tensor between, Tensor noise) = graph.RandomNormal(state.Read(), [Batch, 4]);
        (Tensor next, Tensor normal) = graph.RandomNormal(between, [Batch, 1]);
        Tensor real = (normal * Deviation) + Mean;
        Tensor fake = generator.Call(context, noise);
        Tensor realScore = critic.Call(context, real);
        Tensor fakeScore = critic.Call(context, fake);

        var loss = new BinaryCrossentropy(fromLogits: true);
        Tensor ones = graph.Ones(DType.F32, [Batch, 1]);
        Tensor criticLoss = loss.Call(ones, realScore) + loss.Call(graph.Zeros(DType.F32, [Batch, 1]), fakeScore);
        Tensor generatorLoss = loss.Call(ones, fakeScore);
        Operation advance = state.Assign(next);
        Operation criticStep = new Adam(1e-3, beta1: 0.5, name: "critic_adam").Minimize(criticLoss, critic.TrainableWeights);
        Operation generatorStep =
            new Adam(1e-3, beta1: 0.5, name: "generator_adam").Minimize(generatorLoss, generator.TrainableWeights);

        using var session = new Session(graph, compiler);
        for (int i = 0; i < steps; i++)
        {
            session.Run([], [], [criticStep, advance]);
            session.Run([], [], [generatorStep, advance]);
        }
        double[] made = [.. Enumerable.Range(0, 16).SelectMany(_ => session.Run([fake], [], [advance])[0].ToDoubles())];
        double mean = made.Average();
        return (mean, Math.Sqrt(made.Average(x => (x - mean) * (x - mean))));
    }
}
