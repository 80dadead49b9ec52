using System.Text;
using Graphene.Codegen.Llvm;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Codegen.Aot;

/// <summary>
/// Writes the files of a graph for browsers and Node: <c>.wasm</c>, <c>.mjs</c> and <c>.d.ts</c>,
/// perhaps <c>.weights</c>.
/// </summary>
public static class WasmFiles
{
    // Larger ones are better fetched and kept apart from the code: engines copy what is in a module once more.
    private const long MostEmbeddedWeights = 64L << 20;

    /// <summary>Compiles a graph and writes its files beside each other.</summary>
    /// <param name="module">The graph.</param>
    /// <param name="path">
    /// The <c>.wasm</c> file; the others are named after it. When there are two targets the one with vectors is in <c>NAME.simd.wasm</c>,
    /// and the loader takes it where the engine has vectors.
    /// </param>
    /// <param name="targets">One or both of <see cref="LlvmTarget.Wasm32"/> and <see cref="LlvmTarget.Wasm32Simd"/>.</param>
    /// <param name="keepsWeightsApart">True for weights in a file of their own; null leaves that to their size.</param>
    /// <param name="logger">Receives what the compiler does.</param>
    /// <param name="cancellation">Stops the compilation.</param>
    /// <returns>One line about each module.</returns>
    /// <exception cref="GraphException">GR5060: no linker. GR5061: the graph calls its host. GR5062: it needs more than 4 GiB.</exception>
    public static IReadOnlyList<string> Write(
        Module module, string path, IReadOnlyList<LlvmTarget> targets, bool? keepsWeightsApart = null, ILogger? logger = null,
        CancellationToken cancellation = default)
    {
        string stem = Path.ChangeExtension(path, null);
        string? plain = null;
        string? simd = null;
        var report = new List<string>();
        foreach (LlvmTarget target in targets.Distinct())
        {
            bool hasVectors = target.HasFeature("simd128");
            string file = hasVectors && targets.Distinct().Count() > 1 ? stem + ".simd.wasm" : stem + ".wasm";
            bool isApart = keepsWeightsApart ?? module.Entry.PostOrder().Sum(SizeOfConstant) > MostEmbeddedWeights;
            using WasmModule compiled = WasmModule.Compile(module, target, logger ?? NullLogger.Instance, isApart, cancellation);
            AtomicFile.Write(file, compiled.Write);
            if (compiled.HasWeightsApart)
            {
                AtomicFile.Write(Path.ChangeExtension(file, ".weights"), compiled.WriteWeights);
            }
            (plain, simd) = hasVectors ? (plain, Path.GetFileName(file)) : (Path.GetFileName(file), simd);
            report.Add(
                $"{file}: {compiled.CodeInBytes} bytes of code, {compiled.WeightsInBytes} bytes of weights"
                + $"{(compiled.HasWeightsApart ? " apart" : "")}, {compiled.MemoryInPages} pages of memory, "
                + $"{compiled.StackInBytes} bytes of stack");
            WriteText(stem + ".d.ts", WasmTypesText.Write(compiled.Plan));
            WriteText(stem + ".mjs", WasmLoaderText.Write(compiled.Plan, plain, simd));
        }
        return report;
    }

    private static long SizeOfConstant(Node node) => node.Op is ConstantOp constant ? constant.Value.SizeInBytes : 0;

    private static void WriteText(string path, string text) => AtomicFile.Write(path, s => s.Write(Encoding.UTF8.GetBytes(text)));
}
