using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Ptx() =>
    [
        Of(CodegenDiagnostics.GpuTooOld, () => AotTarget.Parse("nvptx:sm_61")),
        Of(CodegenDiagnostics.NotForGpus, () =>
        {
            var graph = new Graph("double");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            NativeLibraryCompiler.Compile(
                [new NativeSignature("run", graph.ToModule([y]))], AotTarget.Parse("nvptx:sm_90a"),
                new NativeOptions { Name = "twice" }, NullLogger.Instance);
        }),
        Of(CodegenDiagnostics.NotAGpu, () =>
        {
            var graph = new Graph("double");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            PtxFiles.Write(graph.ToModule([y]), AotTarget.Parse("x86-64-v3"), "double");
        }),
    ];
}
