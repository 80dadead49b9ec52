using Graphene.Codegen;
using Graphene.Data;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Graphene.Samples.Mnist;
using Graphene.Tests.Support;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/training.md</summary>
internal sealed class TrainingGuideTests
{
    [Test]
    public void FitAModel()
    {
        using var temporary = new TemporaryFolder();
        string folder = temporary.Combine("run");
        MnistData data = MnistData.Synthetic(256, 64, seed: 1);
        (Literal images, Literal labels) = (data.TrainImages, data.TrainLabels);

        // snippet
        using var model = new Sequential(
            new Rescaling(1 / 255.0),
            new Flatten(),
            new Dense(32, Activations.Relu),
            new Dropout(0.1),
            new Dense(10));
        model.Compile(
            GraphCompiler.Cpu(), new Adam(1e-3), new SparseCategoricalCrossentropy(fromLogits: true),
            new SparseCategoricalAccuracy());
        // end

        // snippet
        History history = model.Fit(images, labels, new FitOptions
        {
            Epochs = 3,
            BatchSize = 64,
            Validation = (data.TestImages, data.TestLabels),
            Callbacks = [new EarlyStopping("val_loss", patience: 2), new ResumableTraining(new CheckpointFolder(folder))],
        });
        double accuracy = model.Evaluate(data.TestImages, data.TestLabels)["accuracy"];
        Literal scores = model.Predict(data.TestImages);
        // end
        Assert.That(history.Last["val_accuracy"], Is.EqualTo(accuracy).Within(1e-6));
        Assert.That(scores.Type.ToString(), Is.EqualTo("f32[64,10]"));

        // snippet
        Dataset batches = Dataset.FromTensors(images, labels).Shuffle(seed: 1).Batch(64, dropRemainder: true).Prefetch();
        model.Fit(batches, new FitOptions { Epochs = 2 });
        // end
        Assert.That(model.Summary(), Does.Contain("dropout"));

        string path = temporary.Combine("digits.onnx");
        // snippet
        OnnxExporter.Export(model.LowerPrediction(), model.Session.ValueOf, path, new OnnxExportOptions
        {
            InputNames = ["image"],
            OutputNames = ["scores"],
        });
        // end
        using var imported = new Session(OnnxImporter.Import(path).Module, GraphCompiler.Cpu());
        Literal again = imported.Run("scores", new Dictionary<string, Feed> { ["image"] = data.TestImages });
        Assert.That(again, Is.EqualTo(model.Predict(data.TestImages)), "the same bits");
    }

    [Test]
    public void BuildAStep()
    {
        // snippet
        var graph = new Graph();
        var context = new LayerContext(graph, training: true, seed: 1);
        Tensor x = graph.Placeholder(DType.F32, ["batch", 2], "x");
        Tensor y = graph.Placeholder(DType.F32, ["batch", 1], "y");
        var hidden = new Dense(16, Activations.Tanh);
        var output = new Dense(1);
        Tensor prediction = output.Call(context, hidden.Call(context, x));
        Tensor loss = new MeanSquaredError().Call(y, prediction);

        var optimizer = new AdamW(new CosineDecay(0.05, decaySteps: 200, warmupSteps: 10))
        {
            Clipping = GradientClipping.ByGlobalNorm(1),
            Decays = v => v.Type.Rank >= 2,
            EmaMomentum = 0.9,
        };
        Operation step = graph.Group([optimizer.Minimize(loss), .. context.Updates]);

        using var session = new Session(graph, GraphCompiler.Cpu());
        float[] points = [0, 0, 0, 1, 1, 0, 1, 1];
        for (int i = 0; i < 200; i++)
        {
            session.Run([], [(x, points), (y, new float[] { 0, 1, 1, 0 })], [step]);
        }
        float last = session.Run(loss, (x, points), (y, new float[] { 0, 1, 1, 0 })).As<float>()[0];
        // end
        Assert.That(last, Is.LessThan(0.05));
        Assert.That(optimizer.AverageOf(hidden.Kernel!), Is.Not.Null);
    }

    [Test]
    public void BranchesAndLayersOfYourOwn()
    {
        // snippet
        LayerOutput input = LayerOutput.Input([8]);
        LayerOutput inner = new Dense(8, Activations.Relu).On(input);
        using var model = new FunctionalModel(input, new Dense(3).On(new Add().On(input, inner)));
        // end
        model.Compile(new ReferenceCompiler(), new SGD(0.1), new MeanSquaredError());
        Assert.That(model.Predict(Literal.Splat(new TensorType(DType.F32, [2, 8]), Scalar.One(DType.F32))).Shape[1].Value, Is.EqualTo(3));

        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 4], "x");
        Tensor scaled = new Scale().Call(new LayerContext(graph, training: false), x);
        Assert.That(scaled.Type, Is.EqualTo(x.Type));
    }

    // snippet
    private sealed class Scale() : UnaryLayer(null)
    {
        private Variable? _factors;

        protected override void Build(LayerContext context, Tensor input) => _factors = AddWeight(
            context, "factors", new TensorType(input.DType, [StaticSize(input, -1)]), Initializers.Ones);

        protected override Tensor Apply(LayerContext context, Tensor input) => input * _factors!.Read();
    }
    // end
}
