using Graphene.Codegen;
using Graphene.Codegen.Aot;

namespace Graphene.Cli.Building;

/// <summary>Which code a runtime identifier asks for.</summary>
internal static class CompileTarget
{
    private const string Linux = "linux"; // code for others differs in conventions, not yet in targets

    // The last word of a runtime identifier, and what runs on every machine that it stands for.
    private static readonly (string Architecture, string Target)[] Targets =
        [("x64", "x86-64"), ("arm64", "aarch64"), ("riscv64", "riscv64-all")];

    /// <summary>
    /// The compilers for the platform of a request: for its variants, or for this processor alone when
    /// it names no platform.
    /// </summary>
    /// <exception cref="ModelBuildException">GRPH005: there is no code for that platform. GRPH006: libLLVM is missing.</exception>
    public static IReadOnlyList<(string Variant, GraphCompiler Compiler)> CompilersFor(BuildRequest request)
    {
        try
        {
            if (request.Target.Length == 0)
            {
                return [("host", GraphCompiler.Cpu())];
            }
            string[] words = request.Target.Split('-');
            string? name = words[0] == Linux ? Targets.FirstOrDefault(t => t.Architecture == words[^1]).Target : null;
            if (name is null)
            {
                throw new ModelBuildException(
                    request, ModelBuildError.BadTarget,
                    $"{request.Item}: no code can be made for '{request.Target}'; fix: choose {string.Join(", ", Targets.Select(t => $"{Linux}-{t.Architecture}"))} as RuntimeIdentifier");
            }
            AotTarget target = AotTarget.Parse(name);
            return [.. target.Variants.Select(v => v.Name).Zip(target.Compilers())];
        }
        catch (NativeLibraryException e)
        {
            throw new ModelBuildException(request, ModelBuildError.NoCompiler, e.Message);
        }
    }
}
