using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Wasm() =>
    [
        Of(CodegenDiagnostics.WasmLinkerMissing, () =>
        {
            var graph = new Graph();
            Tensor x = graph.Placeholder(DType.F32, [4], "x");
            Environment.SetEnvironmentVariable("GRAPHENE_WASM_LD", "no-such-folder/wasm-ld");
            try
            {
                WasmFiles.Write(graph.ToModule([x.Exp()]), "exp.wasm", [LlvmTarget.Wasm32]);
            }
            finally
            {
                Environment.SetEnvironmentVariable("GRAPHENE_WASM_LD", null);
            }
        }),
        Of(CodegenDiagnostics.WasmHostCall, () =>
        {
            var graph = new Graph();
            Tensor x = graph.Placeholder(DType.F32, [4], "x");
            Operation print = graph.Print("x is", [x]);
            WasmFiles.Write(graph.ToModule([x.Exp()], [x], [print]), "exp.wasm", [LlvmTarget.Wasm32]);
        }),
        Of(CodegenDiagnostics.WasmTooLarge, () =>
        {
            var graph = new Graph();
            Tensor x = graph.Placeholder(DType.F32, [1 << 15, 1 << 15], "x");
            WasmFiles.Write(graph.ToModule([x.Exp()]), "exp.wasm", [LlvmTarget.Wasm32]);
        }),
    ];
}
