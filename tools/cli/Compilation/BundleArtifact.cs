using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Runtime;

namespace Graphene.Cli.Compilation;

/// <summary>Writes a bundle for this processor.</summary>
internal static class BundleArtifact
{
    /// <summary>Compiles and writes.</summary>
    /// <exception cref="UsageException">An option or the path does not fit a bundle.</exception>
    public static IReadOnlyList<string> Write(CompileRequest request, IReadOnlyList<string> forms)
    {
        string path = ModelLoader.IsBundle(request.Output) ? request.Output : request.Stem + ".graphene";
        if (request.Target is not null || request.IsFreestanding || request.WeightsPath is not null)
        {
            throw new UsageException("--target, --freestanding and --weights are for native code, not for a bundle");
        }
        using Executable executable = GraphCompiler.Cpu().Compile(request.Model.Module, request.Logger, CancellationToken.None);
        executable.WriteFile(path);
        return
        [
            $"{path}: {executable.Plan.Kernels.Length} kernels, {executable.Objects.Sum(o => o.Bytes.Length)} bytes of code, " +
            $"{executable.Constants.Length} bytes of constants, for {executable.Plan.TargetTriple}",
        ];
    }
}
