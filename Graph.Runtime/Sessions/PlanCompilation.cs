using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>Compiles a plan for a session and says in the log why, and how long it took.</summary>
internal static partial class PlanCompilation
{
    /// <summary>Compiles.</summary>
    /// <param name="compiler">Does the work.</param>
    /// <param name="module">What is to run.</param>
    /// <param name="options">The session's: whether to look for NaN, and the logger that receives the cause and the time.</param>
    /// <param name="cause">Why the plan is not there already.</param>
    /// <param name="cancellation">Gives up.</param>
    public static GraphProgram Run(
        IGraphCompiler compiler, Module module, SessionOptions options, string cause, CancellationToken cancellation) =>
        options.DebugNumerics
            ? NumericsProgram.Compile(module, compiler, m => Compile(compiler, m, options.Logger, cause, cancellation))
            : Compile(compiler, module, options.Logger, cause, cancellation);

    private static GraphProgram Compile(
        IGraphCompiler compiler, Module module, ILogger logger, string cause, CancellationToken cancellation)
    {
        if (!logger.IsEnabled(LogLevel.Information))
        {
            return compiler.Compile(module, logger, cancellation);
        }
        string fetches = string.Join(", ", module.OutputNames);
        LogMiss(logger, fetches, module.Name, compiler.Device, cause);
        long start = Stopwatch.GetTimestamp();
        GraphProgram program = compiler.Compile(module, logger, cancellation);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        LogCompiled(logger, fetches, module.Name, milliseconds);
        return program;
    }

    /// <summary>Lists what one set has more and less than another, or says that only the order differs.</summary>
    public static string Difference(string what, IEnumerable<string> last, IEnumerable<string> now)
    {
        string[] changes = [.. now.Except(last).Select(n => "+" + n), .. last.Except(now).Select(n => "-" + n)];
        return changes.Length == 0
            ? $"its {what} are in another order than those of the plan used last"
            : $"its {what} differ from those of the plan used last: {string.Join(' ', changes)}";
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Compiling a plan for {Fetches} of '{Graph}' on {Device}: {Cause}")]
    private static partial void LogMiss(ILogger logger, string fetches, string graph, string device, string cause);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Compiled the plan for {Fetches} of '{Graph}' in {Milliseconds} ms")]
    private static partial void LogCompiled(ILogger logger, string fetches, string graph, double milliseconds);
}
