using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;

namespace Graphene.Cli.Compilation;

/// <summary>Writes WebAssembly modules and the files that load them in browsers and Node.</summary>
internal static class WasmArtifact
{
    /// <summary>Compiles and writes.</summary>
    /// <exception cref="UsageException">The target is another kind of machine, or weights would go to a file of another name.</exception>
    public static IReadOnlyList<string> Write(CompileRequest request, IReadOnlyList<string> forms)
    {
        AotTarget target = request.Target ?? AotTarget.Parse("wasm32-all");
        if (target.Architecture != LlvmArchitecture.Wasm32)
        {
            throw new UsageException($"--target {target.Name} is not WebAssembly; use wasm32-all, wasm32 or wasm32-simd");
        }
        string path = request.Stem + ".wasm";
        string beside = request.Stem + ".weights";
        if (request.WeightsPath is { } weights && Path.GetFullPath(weights) != Path.GetFullPath(beside))
        {
            throw new UsageException($"--weights {weights}: the loader looks for the weights beside the module, in {beside}");
        }
        return WasmFiles.Write(
            request.Model.Module, path, [.. target.Variants.Select(v => v.Machine)],
            keepsWeightsApart: request.WeightsPath is null ? null : true, request.Logger);
    }
}
