using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples;

/// <summary>An LSTM learns to remember the first symbol of a sequence past a number of others.</summary>
public static class SequenceMemory
{
    private const int Symbols = 4;

    /// <summary>Trains on random sequences, and answers for others.</summary>
    /// <returns>The share of right answers for sequences that were not trained on.</returns>
    public static double Run(
        IGraphCompiler compiler, TextWriter? progress = null, int steps = 10, int examples = 1024, int epochs = 12)
    {
        using var model = new Sequential(new Embedding(Symbols, 8), new LSTM(16), new Dense(Symbols));
        model.Compile(new CompileOptions(
            compiler, new Adam(0.02) { Clipping = GradientClipping.ByGlobalNorm(1) },
            new SparseCategoricalCrossentropy(fromLogits: true))
        {
            Metrics = [new SparseCategoricalAccuracy()],
        });
        (Literal x, Literal y) = Sequences(examples, steps, 1);
        model.Fit(x, y, new FitOptions { Epochs = epochs, BatchSize = 64, Progress = progress });
        (Literal newX, Literal newY) = Sequences(256, steps, 2);
        return model.Evaluate(newX, newY)["accuracy"];
    }

    private static (Literal X, Literal Y) Sequences(int count, int steps, ulong key)
    {
        var random = new RandomNumbers(key);
        int[] symbols = [.. Enumerable.Range(0, count * steps).Select(_ => (int)(random.NextUniform() * Symbols))];
        int[] first = [.. Enumerable.Range(0, count).Select(i => symbols[i * steps])];
        return (Literal.From<int>(symbols, count, steps), Literal.From<int>(first, count));
    }
}
