using System.Runtime.InteropServices;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;

namespace Graphene.Cli.Compilation;

/// <summary>Writes native code with a C interface: objects, shared libraries, headers, LLVM IR, assembly.</summary>
internal static class NativeArtifact
{
    /// <summary>Compiles and writes.</summary>
    public static IReadOnlyList<string> Write(CompileRequest request, IReadOnlyList<string> forms)
    {
        if (request.Target is { Architecture: LlvmArchitecture.Nvptx64 } && forms.All(f => f == "llvm-ir"))
        {
            return PtxArtifact.Write(request, forms);
        }
        var options = new NativeOptions
        {
            Name = request.Name,
            IsFreestanding = request.IsFreestanding,
            Optimizer = request.Bundle.Optimizer,
            HasExternalWeights = request.WeightsPath is not null,
            ExistingWeights = request.WeightsPath is { } path && File.Exists(path)
                ? File.ReadAllBytes(path)
                : default(ReadOnlyMemory<byte>?),
        };
        CompiledLibrary library = NativeLibraryCompiler.Compile(
            [.. request.Bundle.Functions.Select(f => new NativeSignature(f.Name, f.Model.Module))],
            request.Target ?? ThisArchitecture(), options,
            request.Logger);
        NativeFileKinds kinds = forms.Aggregate(NativeFileKinds.None, (all, form) => all | KindsOf(form));
        IReadOnlyList<string> files = NativeFiles.Write(library, request.Stem, kinds, request.WeightsPath);
        return [.. files.Select(f => $"{f}: {new FileInfo(f).Length} bytes")];
    }

    private static AotTarget ThisArchitecture() =>
        AotTarget.Parse(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86-64");

    private static NativeFileKinds KindsOf(string form) => form switch
    {
        "object" => NativeFileKinds.Object | NativeFileKinds.Header,
        "archive" => NativeFileKinds.Archive | NativeFileKinds.Header,
        "shared" => NativeFileKinds.Shared | NativeFileKinds.Header,
        "c-header" => NativeFileKinds.Header,
        "llvm-ir" => NativeFileKinds.LlvmIr,
        _ => NativeFileKinds.Assembly,
    };
}
