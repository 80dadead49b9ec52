using Graphene.Codegen.Aot;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static ErrorExample[] Native() =>
    [
        Of(AotDiagnostics.BadName, () =>
        {
            var graph = new Graph("double");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            NativeLibraryCompiler.Compile(
                [new NativeSignature("run", graph.ToModule([y]))], AotTarget.Parse("x86-64"),
                new NativeOptions { Name = "2x" }, NullLogger.Instance);
        }),
        Of(AotDiagnostics.HostCall, () =>
        {
            var graph = new Graph("double");
            Tensor y = (graph.Placeholder(DType.F32, [4], "x") * 2).Print("twice x:");
            NativeLibraryCompiler.Compile(
                [new NativeSignature("run", graph.ToModule([y]))], AotTarget.Parse("x86-64"),
                new NativeOptions { Name = "twice" }, NullLogger.Instance);
        }),
        Of(AotDiagnostics.UndefinedSymbol, () =>
            NativeLibraryCompiler.RequireDefined(["fmaf"], new NativeOptions { Name = "twice", IsFreestanding = true })),
        Of(AotDiagnostics.Linker, () =>
        {
            var graph = new Graph("double");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            CompiledLibrary library = NativeLibraryCompiler.Compile(
                [new NativeSignature("run", graph.ToModule([y]))], AotTarget.Parse("x86-64"),
                new NativeOptions { Name = "twice" }, NullLogger.Instance);
            SharedLibraryLinker.Link(library, linker: null, fileName: null); // what is found where there is no lld
        }),
        Of(AotDiagnostics.WeightsFile, () =>
        {
            var graph = new Graph("double");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            NativeLibraryCompiler.Compile(
                [new NativeSignature("run", graph.ToModule([y]))], AotTarget.Parse("x86-64"),
                new NativeOptions { Name = "twice", HasExternalWeights = true, ExistingWeights = "no weights"u8.ToArray() },
                NullLogger.Instance);
        }),
        Of(AotDiagnostics.Feature, () =>
        {
            var graph = new Graph("double");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * 2;
            NativeLibraryCompiler.Compile(
                [new NativeSignature("run", graph.ToModule([y]))], AotTarget.Parse("x86-64-v4", features: "+amx-tile,+amx-bf16"),
                new NativeOptions { Name = "twice" }, NullLogger.Instance);
        }),
    ];
}
