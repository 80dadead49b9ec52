using Graphene.Tests.Support;
using Graphene.Train;
using NUnit.Framework;
using static Graphene.Tests.Training.Reference;

namespace Graphene.Tests.Interop.Onnx.Exporting;

/// <summary>Each layer, exported for any number of examples and imported again, predicts what it did.</summary>
internal sealed class LayerExportTests
{
    private static readonly Initializer Random = Initializers.RandomNormal();

    private static IEnumerable<TestCaseData> Layers()
    {
        Literal rows = Numbers(3, 8);
        Literal lines = Numbers(2, 9, 4);
        Literal images = Numbers(2, 8, 8, 4);
        yield return Case(new Dense(5, Activations.Tanh, biasInitializer: Random), rows, 0);
        yield return Case(new Dense(5), lines, 0);
        yield return Case(new Conv1D(4, 3, 2, PaddingMode.SameUpper), lines, 0);
        yield return Case(new Conv2D(6, 3, 2, PaddingMode.SameUpper, activation: Activations.Relu, biasInitializer: Random), images, 0);
        yield return Case(new Conv2D(6, 3, groups: 2), images, 0, "Conv2D, groups");
        yield return Case(new DepthwiseConv2D(3, depthMultiplier: 2), images, 0);
        yield return Case(new Conv2DTranspose(2, 3, 2, PaddingMode.SameUpper), images, 0);
        yield return Case(new MaxPooling1D(), lines, 0);
        yield return Case(new MaxPooling2D(), images, 0);
        yield return Case(new AveragePooling1D(), lines, 1e-6);
        yield return Case(new AveragePooling2D(3, 1), images, 1e-6); // a convolution in the evaluator rounds once, a sum each time
        yield return Case(new GlobalMaxPooling(), images, 0);
        yield return Case(new GlobalAveragePooling(keepDims: true), images, 0);
        yield return Case(new BatchNormalization(), images, 1e-6);
        yield return Case(new LayerNormalization(), lines, 1e-6);
        yield return Case(new Embedding(5, 4), Literal.From<int>([3, 0, 2, 3, 4, 1], 2, 3), 0);
        yield return Case(new Dropout(0.25), rows, 0);
        yield return Case(new LSTM(5), lines, 0);
        yield return Case(new LSTM(5, returnSequences: true), lines, 0, "LSTM, sequences");
        yield return Case(new GRU(5), lines, 0);
        yield return Case(new GRU(5, resetAfter: false, returnSequences: true), lines, 0, "GRU, sequences");
        yield return Case(new MultiHeadAttention(2, 3), lines, 1e-6);
        yield return Case(new MultiHeadAttention(2, 3, causal: true), lines, 1e-6, "MultiHeadAttention, causal");
        yield return Case(new Flatten(), images, 0);
        yield return Case(new Graphene.Train.Reshape([6, 6]), lines, 0);
        yield return Case(new Rescaling(1 / 255.0), Literal.From<byte>([0, 100, 200, 255], 2, 2), 0);
        foreach ((string name, Func<Tensor, Tensor> function) in ((string, Func<Tensor, Tensor>)[])
            [("relu", Activations.Relu), ("gelu", Activations.Gelu), ("softmax", x => x.Softmax()), ("sigmoid", x => x.Sigmoid())])
        {
            yield return Case(new Activation(function), rows, 1e-6, $"Activation, {name}");
        }
        yield return Case(
            new Sequential(
                new Conv2D(8, 3, activation: Activations.Relu), new MaxPooling2D(), new Conv2D(4, 2, padding: PaddingMode.SameUpper),
                new BatchNormalization(), new Flatten(), new Dense(7, Activations.Relu), new Dropout(0.5), new Dense(3)),
            images, 1e-6);
    }

    [TestCaseSource(nameof(Layers))]
    public void PredictsWhatItDid(Layer layer, Literal input, double tolerance)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(input.DType, ["batch", .. input.Shape.Skip(1)], "x");
        Tensor y = layer.Call(new LayerContext(graph, training: false, seed: 5), x);
        LoweredGraph lowered = graph.Lower([y], [x]);
        var rows = new Dictionary<string, long> { ["batch"] = input.Shape[0].Value };
        Literal expected = Evaluator.Evaluate(
            Specialization.Apply(lowered.Module, rows).Entry,
            [input, .. lowered.Variables.OrderBy(v => v.Input).Select(v => v.Variable.InitialValue)])[0];
        Module back = RoundTrip.Of(graph, [y], [x]);

        Assert.That(back.Symbols.Select(s => s.Name), Is.EqualTo(new[] { "batch" }));
        Assert.That(back.InputNames, Is.EqualTo(new[] { "x" }), "weights are stored");
        LiteralAssert.AreClose(
            Evaluator.Evaluate(Specialization.Apply(back, rows).Entry, [input])[0], expected, tolerance, tolerance);
    }

    private static TestCaseData Case(Layer layer, Literal input, double tolerance, string? name = null) =>
        new TestCaseData(layer, input, tolerance).SetArgDisplayNames(name ?? layer.GetType().Name);
}
