using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Building;

/// <summary>
/// Compiles the model of one <c>GrapheneModel</c> item: a bundle, its signature, and the list of files
/// that it came from.
/// </summary>
internal static class ModelBuild
{
    private const int NodesShown = 4;

    /// <summary>Compiles and writes all files.</summary>
    /// <exception cref="ModelBuildException">It cannot be done; the messages are for the build.</exception>
    public static void Run(BuildRequest request, ILogger logger)
    {
        if (!File.Exists(request.Model))
        {
            throw new ModelBuildException(
                request, ModelBuildError.MissingModel,
                $"the model '{request.Item}' does not exist (looked for {request.Model}); "
                    + "fix: correct the Include of the item, or put the file there");
        }
        IReadOnlyList<(string Variant, GraphCompiler Compiler)> compilers = CompileTarget.CompilersFor(request);
        (Module module, IReadOnlyList<string> files) = Load(request);
        try
        {
            Write(request, module, compilers, logger);
        }
        catch (GraphException e)
        {
            throw new ModelBuildException(request, ModelBuildError.CompilerFailed, $"{request.Item}: {e.Message}");
        }
        File.WriteAllLines(request.Inputs, files);
    }

    // The best variant first: whoever loads the bundle takes the first that runs. Equal constants are stored once.
    private static void Write(
        BuildRequest request, Module module, IReadOnlyList<(string Variant, GraphCompiler Compiler)> compilers, ILogger logger)
    {
        var made = new List<BundleCode>();
        try
        {
            foreach ((string variant, GraphCompiler compiler) in compilers.Reverse())
            {
                made.Add(new BundleCode(variant, compiler.Compile(module, logger, CancellationToken.None)));
            }
            var content = new BundleContent { Name = module.Name, Functions = [new BundleFunction(CompiledGraph.DefaultSignature, made)] };
            content.WriteFile(request.Bundle);
            SignatureFile.Write(request, request.Bundle, [(CompiledGraph.DefaultSignature, made[0].Executable.Plan)]);
        }
        finally
        {
            made.ForEach(m => m.Executable.Dispose());
        }
    }

    private static (Module Module, IReadOnlyList<string> Files) Load(BuildRequest request)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(request.Model)) ?? "";
        try
        {
            if (ModelLoader.IsText(request.Model))
            {
                return (ModelLoader.Load(request.Model, request.Dims).Module, [request.Model]);
            }
            using OnnxModelFile file = OnnxModelFile.Load(request.Model);
            RequireSupported(request, file);
            OnnxModel model = OnnxImporter.Import(file, new OnnxImportOptions { Dims = request.Dims });
            return (model.Module, [request.Model, .. file.ExternalFiles.Select(f => Path.Combine(folder, f))]);
        }
        catch (GraphException e)
        {
            throw new ModelBuildException(request, ErrorOf(e.Id), $"{request.Item}: {e.Message}");
        }
        catch (UsageException e)
        {
            throw new ModelBuildException(request, ModelBuildError.BadModel, e.Message);
        }
    }

    // All of them at once: whoever exports the model again wants to know the whole list.
    private static void RequireSupported(BuildRequest request, OnnxModelFile file)
    {
        IReadOnlyList<UnsupportedOperator> missing = OnnxImporter.FindUnsupported(file);
        if (missing.Count > 0)
        {
            throw new ModelBuildException(
                request, ModelBuildError.Unsupported,
                [.. missing.OrderByDescending(o => o.Nodes.Count).Select(o =>
                    $"{request.Item}: operator {o.Operator} is not supported; {o.Nodes.Count} {(o.Nodes.Count == 1 ? "node uses" : "nodes use")} it: " +
                    string.Join(", ", o.Nodes.Take(NodesShown)) + (o.Nodes.Count > NodesShown ? ", ..." : ""))]);
        }
    }

    private static ModelBuildError ErrorOf(DiagnosticId id) => id switch
    {
        _ when id == OnnxDiagnosticIds.UnsupportedOperators || id == OnnxDiagnosticIds.UnsupportedType ||
            id == OnnxDiagnosticIds.UnsupportedUse || id == OnnxDiagnosticIds.ValueNeeded => ModelBuildError.Unsupported,
        _ when id == OnnxDiagnosticIds.BadDimension => ModelBuildError.BadItem,
        _ => ModelBuildError.BadModel,
    };
}
