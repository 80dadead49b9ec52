using Graphene.Cli.Models;

namespace Graphene.Cli.Compilation;

/// <summary>Writes a bundle.</summary>
internal static class BundleArtifact
{
    /// <summary>Compiles and writes.</summary>
    /// <exception cref="UsageException">An option or the path does not fit a bundle.</exception>
    public static IReadOnlyList<string> Write(CompileRequest request, IReadOnlyList<string> forms)
    {
        string path = ModelLoader.IsBundle(request.Output) ? request.Output : request.Stem + ".graphene";
        if (request.IsFreestanding || request.WeightsPath is not null)
        {
            throw new UsageException("--freestanding and --weights are for native code, not for a bundle");
        }
        return [BundleCompilation.Write(request.Bundle, path, request.Logger)];
    }
}
