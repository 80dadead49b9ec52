using System.Runtime.InteropServices;
using Graphene.Codegen;

namespace Graphene.Cli.Building;

/// <summary>Which code a runtime identifier asks for.</summary>
internal static class CompileTarget
{
    /// <summary>A compiler for the platform of a request.</summary>
    /// <exception cref="ModelBuildException">GRPH005: there is no code for that platform. GRPH006: libLLVM is missing.</exception>
    public static GraphCompiler CompilerFor(BuildRequest request)
    {
        try
        {
            string? architecture = request.Target.Length == 0
                ? ArchitectureOfHost()
                : request.Target.Split('-') is [_, .., var last] ? last : null;
            return architecture == ArchitectureOfHost()
                ? GraphCompiler.Cpu()
                : throw new ModelBuildException(
                    request, ModelBuildError.BadTarget,
                    $"{request.Item}: no code can be made for '{request.Target}'; fix: choose linux-x64 or linux-arm64 as RuntimeIdentifier");
        }
        catch (NativeLibraryException e)
        {
            throw new ModelBuildException(request, ModelBuildError.NoCompiler, e.Message);
        }
    }

    private static string ArchitectureOfHost() => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
}
