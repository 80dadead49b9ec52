using System.Diagnostics;
using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples.CharGpt;

/// <summary>Trains a small GPT on the characters of a text, and lets it write.</summary>
public static class GptTraining
{
    /// <summary>Trains, validates and writes.</summary>
    /// <param name="compiler">Compiles the steps.</param>
    /// <param name="text">The text to learn.</param>
    /// <param name="settings">Sizes; null for the usual ones.</param>
    /// <param name="progress">Where progress is shown; null for nowhere.</param>
    /// <param name="checkpoints">A folder to save to, and to go on from; null for none.</param>
    public static Outcome Run(
        IGraphCompiler compiler, string text, GptSettings? settings = null, TextWriter? progress = null, string? checkpoints = null)
    {
        GptSettings s = settings ?? new GptSettings();
        var data = new CharacterData(text);
        var graph = new Graph("chargpt");
        var gpt = new Gpt(s, data.Characters.Length);
        Tensor x = graph.Placeholder(DType.I32, [s.Batch, s.Context], "x");
        Tensor y = graph.Placeholder(DType.I32, [s.Batch, s.Context], "y");
        Tensor scores = gpt.Call(new LayerContext(graph, training: true, s.Seed), x);
        Tensor loss = new SparseCategoricalCrossentropy(fromLogits: true).Call(y, scores);
        var rate = new CosineDecay(s.LearningRate, s.Steps - s.WarmupSteps, alpha: 0.1, warmupSteps: s.WarmupSteps);
        var optimizer = new AdamW(rate, weightDecay: 0.1, beta2: 0.99, epsilon: 1e-8)
        {
            Decays = v => v.Type.Rank >= 2,
            Clipping = GradientClipping.ByGlobalNorm(1),
        };
        Operation step = optimizer.Minimize(loss, gpt.TrainableWeights);
        var writer = new GptWriter(graph, gpt, s, data);

        using var session = new Session(graph, compiler);
        CheckpointFolder? folder = checkpoints is null ? null : new CheckpointFolder(checkpoints);
        var saver = new Saver(session);
        long done = folder?.RestoreLatest(saver)?.Step ?? 0;
        long start = Stopwatch.GetTimestamp();
        double sum = 0;
        const int Shown = 100;
        const int Saved = 200;
        for (long i = done + 1; i <= s.Steps; i++)
        {
            // The step's number decides its batch, so there is no place in the data to remember.
            sum += Loss(validation: false, new RandomNumbers(RandomNumbers.KeyOf(s.Seed, $"batch {i}")), [step]);
            if (i % Shown == 0)
            {
                progress?.WriteLine(FormattableString.Invariant(
                    $"step {i}/{s.Steps}  {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s  loss {sum / Shown:F4}"));
                sum = 0;
            }
            if (i % Saved == 0)
            {
                folder?.Save(saver, i);
            }
        }
        TimeSpan trained = Stopwatch.GetElapsedTime(start);
        var validation = new RandomNumbers(RandomNumbers.KeyOf(s.Seed, "validation"));
        double validationLoss = Enumerable.Range(0, s.ValidationBatches)
            .Average(_ => Loss(validation: true, validation, []));
        return new Outcome(validationLoss, trained, writer.Write(session));

        double Loss(bool validation, RandomNumbers from, Operation[] targets)
        {
            (int[] xs, int[] ys) = data.Batch(from, validation, s.Batch, s.Context);
            return session.Run([loss], [(x, xs), (y, ys)], targets)[0][0].AsDouble;
        }
    }

    /// <summary>What was learned.</summary>
    /// <param name="ValidationLoss">The crossentropy of a character, in nats.</param>
    /// <param name="Training">How long training took, compilation included.</param>
    /// <param name="Text">What the model wrote.</param>
    public sealed record Outcome(double ValidationLoss, TimeSpan Training, string Text)
    {
        public override string ToString() => FormattableString.Invariant(
            $"validation loss {ValidationLoss:F4}, training took {Training.TotalSeconds:F1} s\n\n{Text}");
    }
}
