using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Graphene.Hosting;

/// <summary>Looks after the file of a model as long as the service runs, and has it loaded when it changed.</summary>
/// <remarks>
/// <code>
/// wait: a report of the system, changed settings, or the poll interval
///   the file looks as it did        -> wait
///   it looks different              -> look again until it stays the same for the quiet time
///   it was loaded, or is unusable   -> remember how it looks, wait
///   it could not be read            -> wait, then try again
/// </code>
/// </remarks>
internal sealed class FileWatch<TModel>(
    ModelHost<TModel> host, IOptionsMonitor<GrapheneModelOptions> monitor, ILogger logger)
    where TModel : class, IDisposable
{
    private string? _badSettings;

    /// <summary>Watches until it is cancelled.</summary>
    /// <param name="seen">What the file looked like when it was loaded.</param>
    /// <param name="options">The options that it was loaded with.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(FileFingerprint seen, GrapheneModelOptions options, CancellationToken cancellation)
    {
        using var signal = new ChangeSignal();
        using IDisposable? changes = monitor.OnChange((_, name) =>
        {
            if (name == host.Name)
            {
                signal.Set();
            }
        });
        while (!cancellation.IsCancellationRequested)
        {
            options = Settings() ?? options;
            if (options.Reload)
            {
                if (signal.Watch(options.Path!) is { } reason)
                {
                    ModelLog.NotWatched(logger, host.Name, options.Path!, reason, options.PollInterval);
                }
                FileFingerprint now = FileFingerprint.Read(options.Path!);
                if (now.Problem is not null)
                {
                    signal.Restart();
                }
                if (now != seen)
                {
                    now = await SettleAsync(now, options, cancellation).ConfigureAwait(false);
                    ReloadOutcome outcome = await host.ReloadAsync(options, cancellation).ConfigureAwait(false);
                    // A file that is not there is no news until it is; one that cannot be read is tried again.
                    seen = outcome == ReloadOutcome.Unreadable && now.Problem is null ? default : now;
                }
            }
            await signal.WaitAsync(options.PollInterval, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<FileFingerprint> SettleAsync(
        FileFingerprint first, GrapheneModelOptions options, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(options.QuietTime, cancellation).ConfigureAwait(false);
            FileFingerprint next = FileFingerprint.Read(options.Path!);
            if (next == first)
            {
                return next;
            }
            first = next;
        }
    }

    // Null when what is configured now cannot be used: then it stays as it was.
    private GrapheneModelOptions? Settings()
    {
        try
        {
            GrapheneModelOptions options = monitor.Get(host.Name);
            _badSettings = null;
            return options;
        }
        catch (Exception e) when (e is OptionsValidationException or GraphException)
        {
            if (_badSettings != e.Message)
            {
                _badSettings = e.Message;
                ModelLog.BadSettings(logger, host.Name, e.Message);
            }
            return null;
        }
    }
}
