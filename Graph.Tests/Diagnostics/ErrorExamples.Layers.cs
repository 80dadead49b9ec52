using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Layers() =>
    [
        Of(TrainDiagnostics.BadLayerInput, () =>
        {
            var graph = new Graph();
            Tensor image = graph.Placeholder(DType.F32, ["batch", 28, 28], "image");
            new Conv2D(8, 3).Call(new LayerContext(graph, training: false), image);
        }),
        Of(TrainDiagnostics.LayerInOtherGraph, () =>
        {
            var layer = new Dense(3);
            foreach (string name in new[] { "first", "second" })
            {
                var graph = new Graph(name);
                Tensor x = graph.Placeholder(DType.F32, ["batch", 4], "x");
                layer.Call(new LayerContext(graph, training: false), x);
            }
        }),
        Of(TrainDiagnostics.NotCompiled, () =>
        {
            using var model = new Sequential(new Dense(3));
            model.Predict(Literal.From<float>([1, 2], 1, 2));
        }),
        Of(TrainDiagnostics.BadTrainingData, () =>
        {
            using var model = new Sequential(new Dense(1));
            model.Compile(new ReferenceCompiler(), new SGD(0.1), new MeanSquaredError());
            model.TrainOnBatch(Literal.From<float>([1, 2], 1, 2), Literal.From<float>([3], 1, 1));
            model.TrainOnBatch(Literal.From<double>([1, 2], 1, 2), Literal.From<float>([3], 1, 1));
        }),
        Of(TrainDiagnostics.BadTarget, () =>
        {
            var graph = new Graph();
            Tensor target = graph.Placeholder(DType.F32, ["batch"], "target");
            Tensor prediction = graph.Placeholder(DType.F32, ["batch", 1], "prediction");
            new MeanSquaredError().Call(target, prediction);
        }),
    ];
}
