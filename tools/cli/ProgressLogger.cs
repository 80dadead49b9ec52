using Microsoft.Extensions.Logging;

namespace Graphene.Cli;

/// <summary>
/// Shows on a terminal what a compilation has done so far: its stages, not each pass. See
/// <see cref="CommandIO.Progress"/>.
/// </summary>
/// <param name="io">Where to.</param>
internal sealed class ProgressLogger(CommandIO io) : ILogger
{
    // The name of the event, as Graph.Codegen's log gives it.
    private const string Stage = "LogStage";

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => io.ShowsProgress && logLevel >= LogLevel.Debug;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name == Stage)
        {
            io.Progress(formatter(state, exception).TrimEnd());
        }
    }
}
