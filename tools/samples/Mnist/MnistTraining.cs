using System.Diagnostics;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples.Mnist;

/// <summary>Trains a network to read digits.</summary>
public static class MnistTraining
{
    /// <summary>Trains and tests.</summary>
    /// <param name="compiler">Compiles the steps.</param>
    /// <param name="kind"><c>mlp</c> or <c>cnn</c>.</param>
    /// <param name="data">The digits.</param>
    /// <param name="progress">Where progress is shown; null for nowhere.</param>
    /// <param name="epochs">How often to go through the digits.</param>
    /// <param name="exportTo">An ONNX file to write what was learned to; null for none.</param>
    public static Outcome Run(
        IGraphCompiler compiler, string kind, MnistData data, TextWriter? progress = null, int? epochs = null, string? exportTo = null)
    {
        const int BatchSize = 64;
        int rounds = epochs ?? (kind == "cnn" ? 12 : 15);
        long steps = data.TrainImages.Shape[0].Value / BatchSize * rounds;
        using Sequential model = kind == "cnn" ? Cnn() : Mlp();
        model.Compile(new CompileOptions(
            compiler, new Adam(new CosineDecay(2e-3, steps, alpha: 0.01)), new SparseCategoricalCrossentropy(fromLogits: true))
        {
            Metrics = [new SparseCategoricalAccuracy()],
            Seed = 1,
        });
        progress?.WriteLine(model.Summary());
        long start = Stopwatch.GetTimestamp();
        model.Fit(data.TrainImages, data.TrainLabels, new FitOptions
        {
            Epochs = rounds,
            BatchSize = BatchSize,
            DropRemainder = true,
            Progress = progress,
        });
        TimeSpan trained = Stopwatch.GetElapsedTime(start);
        var outcome = new Outcome(model.Evaluate(data.TestImages, data.TestLabels)["accuracy"], trained);
        if (exportTo is not null)
        {
            Export(model, outcome, exportTo);
        }
        return outcome;
    }

    private static void Export(Model model, Outcome outcome, string path) => OnnxExporter.Export(
        model.LowerPrediction(), model.Session.ValueOf, path, new OnnxExportOptions
        {
            InputNames = ["image"],
            OutputNames = ["logits"],
            Description = "Handwritten digits: bytes of white ink on black in, a score for each digit out.",
            Metadata = new Dictionary<string, string>
            {
                ["test_accuracy"] = FormattableString.Invariant($"{outcome.TestAccuracy:F4}"),
            },
        });

    /// <summary>Two convolutions with poolings, then a classifier.</summary>
    public static Sequential Cnn() => new(
        Image,
        [
            new Rescaling(1 / 255.0),
            new Conv2D(16, 3, activation: Activations.Relu),
            new MaxPooling2D(),
            new Conv2D(32, 3, activation: Activations.Relu),
            new MaxPooling2D(),
            new Flatten(),
            new Dropout(0.25),
            new Dense(128, Activations.Relu),
            new Dropout(0.4),
            new Dense(10),
        ],
        "cnn");

    /// <summary>Two hidden layers.</summary>
    public static Sequential Mlp() => new(
        Image,
        [
            new Rescaling(1 / 255.0),
            new Flatten(),
            new Dense(512, Activations.Relu),
            new Dropout(0.4),
            new Dense(256, Activations.Relu),
            new Dropout(0.4),
            new Dense(10),
        ],
        "mlp");

    private static TensorType Image => new(DType.U8, [28, 28, 1]);

    /// <summary>How well it reads, and how long training took.</summary>
    public sealed record Outcome(double TestAccuracy, TimeSpan Training)
    {
        public override string ToString() => FormattableString.Invariant(
            $"test accuracy {100 * TestAccuracy:F2} %, training took {Training.TotalSeconds:F1} s");
    }
}
