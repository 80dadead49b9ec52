using Microsoft.Extensions.Logging;

namespace Graphene.Codegen;

/// <summary>Writes what a compilation made of a graph into the folder of <c>GRAPHENE_DUMP</c>, beside the graphs of its passes.</summary>
/// <remarks>
/// <c>NAME.kernels</c> has each distinct kernel as Kernel IR, under the name of its entry; <c>NAME.ll</c> the LLVM IR
/// that was made of them; and <c>NAME.ptx</c>, for a GPU, what the driver is given. Code that comes out of a cache was not
/// compiled, and nothing is written.
/// </remarks>
internal static partial class CodeDump
{
    /// <summary>The ending of files of Kernel IR.</summary>
    public const string KernelsEnding = ".kernels";

    /// <summary>The ending of files of LLVM IR.</summary>
    public const string IrEnding = ".ll";

    /// <summary>The folder that files are asked for in; null for none.</summary>
    /// <param name="options">Whose debugging options come first, then the environment's.</param>
    public static string? FolderOf(GraphCompilerOptions options) =>
        options.Optimizer?.Debug.DumpFolder ?? DebugOptions.FromEnvironment().DumpFolder;

    /// <summary>Writes files into a folder, which is made if it is missing.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The graph's name.</param>
    /// <param name="logger">Told where the files are, or why there are none.</param>
    /// <param name="files">Endings of files and what is in them.</param>
    public static void Write(string folder, string name, ILogger logger, IEnumerable<(string Ending, string Text)> files)
    {
        string stem = Path.Combine(folder, FileName(name));
        try
        {
            Directory.CreateDirectory(folder);
            foreach ((string ending, string text) in files)
            {
                File.WriteAllText(stem + ending, text);
                LogFile(logger, stem, ending);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNone(logger, stem, e.Message);
        }
    }

    /// <summary>Texts one behind the other, each under its name.</summary>
    /// <param name="comment">What a comment begins with.</param>
    /// <param name="texts">Names and texts.</param>
    public static string Titled(string comment, IEnumerable<(string Name, string Text)> texts) =>
        string.Concat(texts.Select(t => $"{comment} {t.Name}\n{t.Text}\n"));

    private static string FileName(string name) => name.Length == 0
        ? "module"
        : string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Stem}{Ending} is written")]
    private static partial void LogFile(ILogger logger, string stem, string ending);

    [LoggerMessage(Level = LogLevel.Warning, Message = "no dump of {Stem}: {Problem}")]
    private static partial void LogNone(ILogger logger, string stem, string problem);
}
