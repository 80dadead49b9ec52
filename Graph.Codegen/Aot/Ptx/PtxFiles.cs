using System.Text;
using Graphene.Codegen.Ptx;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Codegen.Aot;

/// <summary>Writes what a graph becomes on a GPU, for people and tools: its kernels as PTX, and how they are launched.</summary>
/// <remarks>
/// Needs no GPU. The files depend on the graph, the target and the versions of this compiler and of LLVM alone. Sessions do not need them:
/// they compile for the GPU that they find.
/// </remarks>
public static class PtxFiles
{
    /// <summary>Compiles a graph and writes its files beside each other.</summary>
    /// <param name="module">The graph.</param>
    /// <param name="target">A GPU, as in <c>AotTarget.Parse("nvptx:sm_90a")</c>.</param>
    /// <param name="stem">The path of the files without their endings.</param>
    /// <param name="writesPtx">Whether to write <c>.ptx</c> with all distinct kernels, and <c>.json</c> with their launches.</param>
    /// <param name="writesIr">Whether to write <c>.ll</c>, the LLVM IR of the kernels, one module behind the other.</param>
    /// <param name="logger">Receives what the compiler does.</param>
    /// <param name="tuning">Tiles that were measured to be the fastest; null for those that a model expects to be.</param>
    /// <param name="cancellation">Stops the compilation.</param>
    /// <returns>The paths of the files.</returns>
    /// <exception cref="GraphException">GR5072: the target is no GPU.</exception>
    public static IReadOnlyList<string> Write(
        Module module, AotTarget target, string stem, bool writesPtx = true, bool writesIr = false, ILogger? logger = null,
        ProductTuning? tuning = null, CancellationToken cancellation = default)
    {
        (PtxModule ptx, string launches) = Compile(module, target, logger ?? NullLogger.Instance, tuning, cancellation);
        var files = new List<string>();
        if (writesPtx)
        {
            WriteText(".ptx", ptx.Text);
            WriteText(".json", launches);
        }
        if (writesIr)
        {
            WriteText(".ll", ptx.IrText);
        }
        return files;

        void WriteText(string ending, string text)
        {
            AtomicFile.Write(stem + ending, s => s.Write(Encoding.UTF8.GetBytes(text)));
            files.Add(stem + ending);
        }
    }

    /// <summary>The kernels of a graph, and their launches as JSON.</summary>
    internal static (PtxModule Ptx, string Launches) Compile(
        Module module, AotTarget target, ILogger logger, ProductTuning? tuning = null, CancellationToken cancellation = default)
    {
        if (target.Gpu is not { } gpu)
        {
            throw new GraphException(
                CodegenDiagnostics.NotAGpu,
                "target: PTX is for GPUs",
                where: $"--target {target.Name}",
                why: $"'{target.Name}' is a processor",
                fix: $"name a GPU, such as {PtxTarget.TargetPrefix}sm_90a");
        }
        var log = new CompilationLog(logger, module.Name);
        gpu = gpu with { Tuning = tuning };
        using var writer = new PtxWriter(gpu, threads: 0, cancellation);
        var library = new GpuKernelLibrary(writer);
        var lowering = new StepLowering(KernelTarget.Of(gpu), GraphCompilerOptions.Default);
        LoweredSteps lowered = lowering.Lower(module, _ => library, log, cancellation);
        GpuStep[] steps = [.. new GpuPlanBuilder(library).Build(lowered.Steps)];
        PtxModule ptx = writer.FinishModule();
        log.End("generating code");
        log.Dump(GraphCompilerOptions.Default, ptx.Dump);
        return (ptx, LaunchManifest.Print(ptx, library, steps, lowered.Description));
    }
}
