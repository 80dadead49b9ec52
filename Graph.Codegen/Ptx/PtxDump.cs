using Microsoft.Extensions.Logging;

namespace Graphene.Codegen.Ptx;

/// <summary>Writes what a compilation for a GPU made into the folder of <c>GRAPHENE_DUMP</c>, beside the graphs of its passes.</summary>
/// <remarks>
/// <c>NAME.kernels</c> has each distinct kernel as Kernel IR, under the name of its entry; <c>NAME.ll</c> the LLVM IR
/// that was made of it, and <c>NAME.ptx</c> what the driver is given. Code that comes out of the cache was not
/// compiled, and nothing is written.
/// </remarks>
internal static partial class PtxDump
{
    /// <summary>Writes the files.</summary>
    /// <param name="folder">The folder; null for none.</param>
    /// <param name="name">The graph's name.</param>
    /// <param name="module">What was made.</param>
    /// <param name="logger">Told where the files are, or why there are none.</param>
    public static void Write(string? folder, string name, PtxModule module, ILogger logger)
    {
        if (folder is null)
        {
            return;
        }
        string stem = Path.Combine(folder, FileName(name));
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(stem + ".kernels", Titled(module, module.Sources.Select(KernelPrinter.Print), "//"));
            File.WriteAllText(stem + ".ll", IrText(module));
            File.WriteAllText(stem + ".ptx", module.Text);
            LogFiles(logger, stem, module.Kernels.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNone(logger, stem, e.Message);
        }
    }

    /// <summary>The LLVM IR of all kernels, one module behind the other.</summary>
    public static string IrText(PtxModule module) => Titled(module, module.Ir, ";");

    private static string Titled(PtxModule module, IEnumerable<string> texts, string comment) =>
        string.Concat(texts.Select((text, i) => $"{comment} {module.Kernels[i].Name}\n{text}\n"));

    private static string FileName(string name) => name.Length == 0
        ? "module"
        : string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Stem}.kernels, .ll and .ptx have {Kernels} kernels")]
    private static partial void LogFiles(ILogger logger, string stem, int kernels);

    [LoggerMessage(Level = LogLevel.Warning, Message = "no dump of {Stem}: {Problem}")]
    private static partial void LogNone(ILogger logger, string stem, string problem);
}
