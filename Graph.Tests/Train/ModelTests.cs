using Graphene.Codegen;
using Graphene.Data;
using Graphene.Runtime;
using Graphene.Train;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Training.Reference;

namespace Graphene.Tests.Training;

using Optimizer = Graphene.Train.Optimizer; // Graphene.Optimizer is a namespace

internal sealed class ModelTests
{
    [Test]
    public void PredictionsDoNotDependOnTheBatchSize()
    {
        using Sequential model = Classifier(new SGD(0.1));
        Literal x = Numbers(10, 4);
        Literal whole = model.Predict(x, 10);

        Assert.That(whole.Type.ToString(), Is.EqualTo("f32[10,3]"));
        Assert.That(model.Predict(x, 4), Is.EqualTo(whole));
    }

    [Test]
    public void AStepOnABatchIsThatOfTheFormula()
    {
        using Sequential model = new(new Dense(1, useBias: false));
        model.Compile(new ReferenceCompiler(), new SGD(0.1), new MeanSquaredError());
        Literal x = Literal.From<float>([1, 2, 3, 4], 2, 2);
        Literal y = Literal.From<float>([1, 0], 2, 1);
        model.Build(new TensorType(DType.F32, [2]));
        double[] w = model.GetWeights()[0].ToDoubles();
        double[] error = [w[0] + (2 * w[1]) - 1, (3 * w[0]) + (4 * w[1])];

        double loss = model.TrainOnBatch(x, y)["loss"];

        Assert.That(loss, Is.EqualTo((error[0] * error[0] + error[1] * error[1]) / 2).Within(1e-5));
        Assert.That(
            model.GetWeights()[0].ToDoubles(),
            Is.EqualTo(new[]
            {
                w[0] - (0.1 * (error[0] + (3 * error[1]))),
                w[1] - (0.1 * ((2 * error[0]) + (4 * error[1]))),
            }).Within(1e-5));
    }

    [Test]
    public void EqualSeedsGiveEqualBitsOverRunsAndThreads()
    {
        Literal[][] runs = [.. new[] { 1, 1, 2 }.Select(Trained)];

        Assert.That(runs[1], Is.EqualTo(runs[0]), "another run");
        Assert.That(runs[2], Is.EqualTo(runs[0]), "another number of threads");

        static Literal[] Trained(int threads)
        {
            using Sequential model = new(
                new Dense(64, Activations.Relu), new BatchNormalization(), new Dropout(0.2), new Dense(3));
            model.Compile(new CompileOptions(
                GraphCompiler.Cpu(), new Adam(0.01), new SparseCategoricalCrossentropy(fromLogits: true))
            {
                Seed = 4,
                Session = new SessionOptions { MaxThreads = threads },
            });
            model.Fit(Numbers(300, 40), Labels(300), new FitOptions { Epochs = 3, BatchSize = 64, Progress = null });
            return model.GetWeights();
        }
    }

    [Test]
    public void AFunctionalModelJoinsItsBranches()
    {
        LayerOutput a = LayerOutput.Input([3], name: "a");
        LayerOutput b = LayerOutput.Input([3], name: "b");
        var shared = new Dense(2, useBias: false);
        using var model = new FunctionalModel([a, b], new Concatenate().On(shared.On(a), shared.On(b), a));
        model.Compile(new ReferenceCompiler(), new SGD(0.1), new MeanSquaredError());
        Literal x = Numbers(4, 3);
        Literal y = Numbers(2, 3);
        Literal result = model.Predict([x, x]);
        double[] w = model.GetWeights()[0].ToDoubles();

        Assert.That(model.Weights, Has.Count.EqualTo(1), "the layer is used twice and has one kernel");
        AreNear(result, at => at[1] >= 4
            ? x.At(at[0], at[1] - 4)
            : Enumerable.Range(0, 3).Sum(k => x.At(at[0], k) * w[(k * 2) + (at[1] % 2)]));
        Assert.That(
            () => new FunctionalModel(a, shared.On(b)),
            Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(TrainDiagnostics.BadLayerInput));
        Assert.That(y.Shape[1].Value, Is.EqualTo(3));
    }

    [Test]
    public void ASummaryListsLayersOutputsAndWeights()
    {
        using Sequential model = Classifier(new SGD(0.1));
        model.Build(new TensorType(DType.F32, [4]));

        Assert.That(model.Summary().ReplaceLineEndings("\n"), Is.EqualTo(
            """
            model 'sequential'
            layer    kind   output        weights
            -------------------------------------
            dense    Dense  f32[batch,8]       40
            dense_1  Dense  f32[batch,3]       27
            67 weights, 67 of them trainable

            """));
    }

    [Test]
    public void FrozenLayersKeepTheirWeights()
    {
        var frozen = new Dense(8) { Trainable = false };
        using var model = new Sequential(frozen, new Dense(3));
        model.Compile(new ReferenceCompiler(), new SGD(0.1), new SparseCategoricalCrossentropy(fromLogits: true));
        model.Build(new TensorType(DType.F32, [4]));
        Literal[] before = model.GetWeights();
        model.TrainOnBatch(Numbers(6, 4), Labels(6));
        Literal[] after = model.GetWeights();

        Assert.That(after[0], Is.EqualTo(before[0]));
        Assert.That(after[2], Is.Not.EqualTo(before[2]));
    }

    [Test]
    public void HistoryAndCallbacks()
    {
        using Sequential model = Classifier(new Adam(0.05), new SparseCategoricalAccuracy());
        var saved = new List<int>();
        var progress = new StringWriter();
        var stopping = new EarlyStopping("val_loss", patience: 1, minDelta: 100);
        Literal x = Numbers(50, 4);
        History history = model.Fit(x, Labels(50), new FitOptions
        {
            Epochs = 10,
            BatchSize = 16,
            Validation = (x, Labels(50)),
            Progress = progress,
            Callbacks = [stopping, new ModelCheckpoint((_, epoch) => saved.Add(epoch), "loss", saveBestOnly: true)],
        });

        Assert.That(history.Epochs, Has.Count.EqualTo(3), "the first epoch is best, two are borne");
        Assert.That(stopping.StoppedEpoch, Is.EqualTo(2));
        Assert.That(history.Last.Keys, Is.EqualTo(new[] { "loss", "accuracy", "val_loss", "val_accuracy" }));
        Assert.That(saved, Does.Contain(0));
        Assert.That(history["loss"][2], Is.LessThan(history["loss"][0]));
        Assert.That(
            progress.ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'),
            Has.Length.EqualTo(3).And.All.Match(@"^epoch \d/10  \d+\.\d s  loss \S+  accuracy \S+  val_loss \S+  val_accuracy \S+$"));
    }

    [Test]
    public void EarlyStoppingGoesBackToTheBestWeights()
    {
        using Sequential model = Classifier(new SGD(-0.5)); // climbs: the first epoch stays best
        Literal x = Numbers(32, 4);
        Literal[]? first = null;
        model.Fit(x, Labels(32), new FitOptions
        {
            Epochs = 5,
            BatchSize = 32,
            Progress = null,
            Callbacks =
            [
                new EarlyStopping("loss", patience: 2, restoreBestWeights: true),
                new ModelCheckpoint((m, epoch) => first ??= m.GetWeights()),
            ],
        });

        Assert.That(model.GetWeights(), Is.EqualTo(first));
    }

    [Test]
    public void ATerminalGetsABar()
    {
        var writer = new StringWriter();
        using Sequential model = Classifier(new SGD(0.1));
        model.Fit(Numbers(64, 4), Labels(64), new FitOptions
        {
            BatchSize = 16,
            Progress = null,
            Callbacks = [new ProgressBar(writer, isTerminal: true)],
        });

        Assert.That(writer.ToString(), Does.StartWith("epoch 1/1").And.Contain("\r").And.Contain("loss"));
    }

    [Test]
    public void AnInterruptedTrainingEndsWithTheSameBits()
    {
        using var folder = new TemporaryFolder();
        Literal[] whole = Trained(4, null);
        _ = Trained(2, folder.Path);

        Assert.That(Trained(4, folder.Path), Is.EqualTo(whole));

        static Literal[] Trained(int epochs, string? path)
        {
            using Sequential model = new(new Dense(8, Activations.Relu), new BatchNormalization(), new Dropout(0.3), new Dense(3));
            model.Compile(new ReferenceCompiler(), new Adam(0.01), new SparseCategoricalCrossentropy(fromLogits: true));
            model.Fit(Numbers(40, 4), Labels(40), new FitOptions
            {
                Epochs = epochs,
                BatchSize = 16,
                Progress = null,
                Callbacks = path is null ? [] : [new ResumableTraining(new CheckpointFolder(path))],
            });
            return model.GetWeights();
        }
    }

    [Test]
    public void WeightsOfExamplesCount()
    {
        using Sequential model = new(new Dense(1, useBias: false));
        model.Compile(new ReferenceCompiler(), new SGD(0), new MeanSquaredError());
        Literal x = Literal.From<float>([1, 1], 2, 1);
        Literal y = Literal.From<float>([0, 5], 2, 1);
        double all = model.Evaluate([x, y, Literal.From<float>([1, 0], 2)])["loss"];
        double w = model.GetWeights()[0][0].AsDouble;

        Assert.That(all, Is.EqualTo(w * w / 2).Within(1e-6));
    }

    [Test]
    public void MistakesHaveNames()
    {
        using Sequential model = new(new Dense(1));
        Assert.That(
            () => model.Predict(Numbers(2, 3)),
            Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(TrainDiagnostics.NotCompiled));
        model.Compile(new ReferenceCompiler(), new SGD(0.1), new MeanSquaredError());
        model.TrainOnBatch(Numbers(2, 3), Numbers(2, 1));
        Assert.That(
            () => model.TrainOnBatch(Numbers(2, 4), Numbers(2, 1)),
            Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(TrainDiagnostics.BadTrainingData));
        Assert.That(
            () => model.Fit(Numbers(2, 3), Numbers(3, 1), new FitOptions { Progress = null }),
            Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(DataDiagnostics.BadComponents));
    }

    private static Sequential Classifier(Optimizer optimizer, params Metric[] metrics)
    {
        var model = new Sequential(new Dense(8, Activations.Relu), new Dense(3));
        model.Compile(new ReferenceCompiler(), optimizer, new SparseCategoricalCrossentropy(fromLogits: true), metrics);
        return model;
    }

    private static Literal Labels(int count) => Literal.From<int>([.. Enumerable.Range(0, count).Select(i => i * 7 % 3)], count);
}
