using System.Diagnostics;
using System.Globalization;
using Graphene.Optimizer;
using Microsoft.Extensions.Logging;

namespace Graphene.Codegen;

/// <summary>Says in the log what each stage of a compilation took, for whoever asks where the time goes.</summary>
/// <param name="logger">Receives a line for each stage, at the level of debugging.</param>
/// <param name="name">The graph.</param>
internal sealed partial class CompilationLog(ILogger logger, string name)
{
    private long _start = Stopwatch.GetTimestamp();

    /// <summary>The options of the optimizer, which then reports its passes here as well.</summary>
    public OptimizerOptions Listen(OptimizerOptions options) => !logger.IsEnabled(LogLevel.Debug) ? options : options with
    {
        Debug = options.Debug with { Timing = true },
        Log = line =>
        {
            LogPass(logger, name, line);
            options.Log?.Invoke(line);
        },
    };

    /// <summary>Ends a stage, which began when the one before ended.</summary>
    public void End(string stage, string detail = "")
    {
        long now = Stopwatch.GetTimestamp();
        if (logger.IsEnabled(LogLevel.Debug))
        {
            string time = Stopwatch.GetElapsedTime(_start, now).TotalMilliseconds.ToString("F1", CultureInfo.InvariantCulture);
            LogStage(logger, name, stage, time, detail);
        }
        _start = now;
    }

    /// <summary>Says something that a user may want to know.</summary>
    public void Note(string note)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            LogNote(logger, name, note);
        }
    }

    /// <summary>Writes code that was made where it is asked for; see <see cref="CodeDump"/>.</summary>
    /// <param name="options">Say whether it is.</param>
    /// <param name="files">Endings of files and what is in them; called if it is asked for.</param>
    public void Dump(GraphCompilerOptions options, Func<IEnumerable<(string Ending, string Text)>> files)
    {
        if (CodeDump.FolderOf(options) is { } folder)
        {
            CodeDump.Write(folder, name, logger, files());
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Compiling '{Graph}': {Note}")]
    private static partial void LogNote(ILogger logger, string graph, string note);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Compiling '{Graph}': {Stage} took {Milliseconds} ms {Detail}")]
    private static partial void LogStage(ILogger logger, string graph, string stage, string milliseconds, string detail);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Compiling '{Graph}': pass {Line}")]
    private static partial void LogPass(ILogger logger, string graph, string line);
}
