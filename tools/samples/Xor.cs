using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples;

/// <summary>The exclusive or of two bits, which no single layer can compute.</summary>
public static class Xor
{
    /// <summary>Trains until the four answers are learned.</summary>
    /// <returns>The final loss and the probabilities of 1 for 00, 01, 10 and 11.</returns>
    public static Answer Run(IGraphCompiler compiler, int epochs = 300)
    {
        using var model = new Sequential(new Dense(8, Activations.Tanh), new Dense(1));
        model.Compile(compiler, new Adam(0.05), new BinaryCrossentropy(fromLogits: true));
        var x = Literal.From<float>([0, 0, 0, 1, 1, 0, 1, 1], 4, 2);
        var y = Literal.From<float>([0, 1, 1, 0], 4, 1);
        History history = model.Fit(x, y, new FitOptions { Epochs = epochs, BatchSize = 4, Progress = null });
        double[] scores = model.Predict(x).ToDoubles();
        return new Answer(history.Last["loss"], Array.ConvertAll(scores, s => 1 / (1 + Math.Exp(-s))));
    }

    /// <summary>What was learned.</summary>
    public sealed record Answer(double Loss, double[] Probabilities)
    {
        public override string ToString() => FormattableString.Invariant(
            $"loss {Loss:G3}, probabilities {string.Join(", ", Probabilities.Select(p => FormattableString.Invariant($"{p:F3}")))}");
    }
}
