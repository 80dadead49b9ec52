using Graphene.Codegen.Aot;

namespace Graphene.Cli.Compilation;

/// <summary>Writes the kernels of a GPU: PTX with its launches, LLVM IR.</summary>
internal static class PtxArtifact
{
    private const string EveryRecentGpu = "nvptx:sm_80";

    /// <summary>Compiles and writes.</summary>
    public static IReadOnlyList<string> Write(CompileRequest request, IReadOnlyList<string> forms)
    {
        if (request.IsFreestanding || request.WeightsPath is not null)
        {
            throw new UsageException("--freestanding and --weights are for native code, not for PTX, which holds kernels alone");
        }
        IReadOnlyList<string> files = PtxFiles.Write(
            request.Model.Module, request.Target ?? AotTarget.Parse(EveryRecentGpu), request.Stem, forms.Contains("ptx"),
            forms.Contains("llvm-ir"), request.Logger, request.Tuning);
        return [.. files.Select(f => $"{f}: {new FileInfo(f).Length} bytes")];
    }
}
