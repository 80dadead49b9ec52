using Graphene.Codegen;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Tuning() =>
    [
        Of(
            CodegenDiagnostics.BadTuning,
            () => ProductTuning.Parse("""{ "format": "graphene product tuning", "version": 7 }""", "model.tuning")),
        Of(CodegenDiagnostics.UnknownTile, () =>
        {
            var graph = new Graph("product");
            Tensor x = graph.Placeholder(DType.F32, [64, 32], "x");
            Module module = graph.ToModule([x.MatMul(graph.Placeholder(DType.F32, [32, 48], "w"))]);
            using var gpu = new InterpretedGpu();
            string json = ProductTuner.Tune(GraphCompiler.Gpu(gpu), module, new TuningOptions { Candidates = 1, Runs = 1 }).ToJson();
            ProductTuning changed = ProductTuning.Parse(json.Replace("stages", "places", StringComparison.Ordinal), "model.tuning");
            GraphCompiler.Gpu(gpu, new GraphCompilerOptions { Tuning = changed })
                .Compile(module, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, default);
        }),
    ];
}
