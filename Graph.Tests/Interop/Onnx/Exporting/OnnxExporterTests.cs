using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Support;
using Graphene.Train;
using NUnit.Framework;
using static Graphene.Tests.Training.Reference;

namespace Graphene.Tests.Interop.Onnx.Exporting;

/// <summary>What exported files look like, and what is refused.</summary>
internal sealed class OnnxExporterTests
{
    [Test]
    public void AConvolutionalNetworkIsTransposedAtItsEndsOnly()
    {
        ModelProto model = Exported(Cnn());

        Assert.That(model.Graph.Node.Select(n => n.OpType), Is.EqualTo(new[]
        {
            "Transpose", "Conv", "Add", "Relu", "MaxPool", "Conv", "Add", "Relu", "Transpose", "Reshape", "MatMul", "Add",
        }));
        Assert.That(model.Graph.Initializer.Select(i => i.Name), Is.SupersetOf(new[] { "cnn/conv2d/kernel", "cnn/dense/bias" }));
        Assert.That(model.Graph.Input.Single().Type.TensorType.Shape.Dim[0].DimParam, Is.EqualTo("batch"));
        Assert.That((model.IrVersion, model.OpsetImport.Single().Version, model.ProducerName), Is.EqualTo((10, 21, "graphene")));
    }

    [Test]
    public void EqualGraphsGiveEqualBytes()
    {
        var first = new MemoryStream();
        var second = new MemoryStream();
        OnnxExporter.Export(Cnn(), v => v.InitialValue, first);
        OnnxExporter.Export(Cnn(), v => v.InitialValue, second);

        Assert.That(second.ToArray(), Is.EqualTo(first.ToArray()));
    }

    [Test]
    public void NamesTextsAndValuesAreTheCallers()
    {
        var graph = new Graph("scaled");
        Tensor x = graph.Placeholder(DType.F32, [2], "x");
        Variable factor = graph.Variable(Literal.From<float>([3, 4], 2), "factor");
        LoweredGraph lowered = graph.Lower([x * factor.Read(), x], [x]);
        using var stream = new MemoryStream();
        OnnxExporter.Export(lowered, v => v.InitialValue, stream, new OnnxExportOptions
        {
            InputNames = ["pixels"],
            OutputNames = ["scores", "copy"],
            Values = new Dictionary<string, Literal> { ["factor"] = Literal.From<float>([5, 6], 2) },
            Description = "Multiplies.",
            Metadata = new Dictionary<string, string> { ["trained on"] = "nothing" },
        });
        using OnnxModelFile file = OnnxModelFile.Load(stream.ToArray(), "scaled.onnx");

        Assert.That(file.InputNames, Is.EqualTo(new[] { "pixels" }));
        Assert.That(file.OutputNames, Is.EqualTo(new[] { "scores", "copy" }));
        Assert.That(file.Metadata, Is.EqualTo(new Dictionary<string, string> { ["trained on"] = "nothing" }));
        Assert.That(file.Producer, Does.StartWith("graphene"));
        Literal[] results = Evaluator.Evaluate(OnnxImporter.Import(file).Module.Entry, [Literal.From<float>([1, 2], 2)]);
        Assert.That(results.Select(r => r.ToDoubles()), Is.EqualTo(new double[][] { [5, 12], [1, 2] }));
    }

    [Test]
    public void ATensorThatIsUsedTwiceIsStoredOnce()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [2, 4], "x");
        Variable w = graph.Variable(Numbers(4, 4), "w");
        ModelProto model = Exported(graph.Lower([x.MatMul(w.Read()).MatMul(w.Read())], [x]));

        Assert.That(model.Graph.Initializer.Select(i => i.Name), Is.EqualTo(new[] { "w" }));
    }

    [Test]
    public void EverythingWithoutAFormIsNamedAtOnce()
    {
        var graph = new Graph("noisy");
        Tensor x = graph.Placeholder(DType.F32, [4], "x");
        Tensor y = graph.RandomUniform(graph.Constant(Literal.From<ulong>([1, 0], 2)), [4]).Values + x.Bitcast(DType.I32).Cast(DType.F32);
        LoweredGraph lowered = graph.Lower([y], [x]);

        Assert.That(
            () => OnnxExporter.Export(lowered, v => v.InitialValue, Stream.Null),
            Throws.TypeOf<GraphException>()
                .With.Property("Id").EqualTo(OnnxDiagnosticIds.NoOnnxForm)
                .And.Message.Contains("2 nodes have").And.Message.Contains("rng_bit_generator")
                .And.Message.Contains("bitcast_convert"));
    }

    [Test]
    public void AFileThatCannotBeWrittenLeavesTheOldOne()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "model.onnx");
        OnnxExporter.Export(Cnn(), v => v.InitialValue, path);
        byte[] before = File.ReadAllBytes(path);

        Assert.That(
            () => OnnxExporter.Export(Cnn(), v => throw new IOException("the values are gone"), path), Throws.InstanceOf<IOException>());
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(before));
        Assert.That(Directory.GetFiles(folder.Path), Is.EqualTo(new[] { path }), "nothing is left behind");
        Assert.That(
            () => OnnxExporter.Export(Cnn(), v => v.InitialValue, Path.Combine(folder.Path, "none", "model.onnx")),
            Throws.TypeOf<GraphException>().With.Property("Id").EqualTo(OnnxDiagnosticIds.CannotWrite));
    }

    private static LoweredGraph Cnn()
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 12, 12, 1], "x");
        var model = new Sequential(
            null,
            [
                new Conv2D(4, 3, activation: Activations.Relu), new MaxPooling2D(), new Conv2D(6, 3, activation: Activations.Relu),
                new Flatten(), new Dense(3),
            ],
            "cnn");
        return graph.Lower([model.Call(new LayerContext(graph, training: false, seed: 5), x)], [x]);
    }

    private static ModelProto Exported(LoweredGraph graph)
    {
        using var stream = new MemoryStream();
        OnnxExporter.Export(graph, v => v.InitialValue, stream);
        return ModelProto.Parser.ParseFrom(stream.ToArray());
    }
}
