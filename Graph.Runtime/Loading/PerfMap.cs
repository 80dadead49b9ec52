using System.Globalization;
using System.Text;

namespace Graphene.Runtime;

/// <summary>Tells Linux's <c>perf</c> the names of compiled kernels, through the file that it reads for code made at run time.</summary>
/// <remarks>Switched on by GRAPHENE_PERF_MAP=1. The file is <c>perf-PID.map</c> in the temporary folder: start, size, name.</remarks>
internal static class PerfMap
{
    private static readonly Lock Gate = new();

    /// <summary>Adds the functions of loaded code.</summary>
    public static void Add(LoadedCode code)
    {
        (string Name, nint Address)[] functions = [.. code.FunctionNames
            .Select(name => (name, code.GetFunction(name))).OrderBy(f => f.Item2)];
        var lines = new StringBuilder();
        for (int i = 0; i < functions.Length; i++)
        {
            // Sizes are not kept; a function ends where the next begins, the last one before a page's worth of code is over.
            nint size = i + 1 < functions.Length ? functions[i + 1].Address - functions[i].Address : Environment.SystemPageSize;
            lines.AppendLine(CultureInfo.InvariantCulture, $"{functions[i].Address:x} {size:x} {functions[i].Name}");
        }
        string path = Path.Combine(Path.GetTempPath(), $"perf-{Environment.ProcessId}.map");
        lock (Gate)
        {
            File.AppendAllText(path, lines.ToString());
        }
    }
}
