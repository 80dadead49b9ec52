using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Graphene.Hosting;

/// <summary>Loads a model before anything else of the host starts, and looks after its file until the host stops.</summary>
internal sealed class ModelService<TModel>(
    ModelHost<TModel> host, IOptionsMonitor<GrapheneModelOptions> monitor, ILogger logger) : BackgroundService, IHostedLifecycleService
    where TModel : class, IDisposable
{
    private GrapheneModelOptions _options = new();
    private FileFingerprint? _seen;

    /// <inheritdoc/>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _options = monitor.Get(host.Name);
        if (!_options.LoadInBackground)
        {
            _seen = await host.LoadFirstAsync(_options, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Loading is computation: it must not hold up the start of the host.
        await Task.Yield();
        FileFingerprint seen = _seen ?? await host.LoadFirstAsync(_options, stoppingToken).ConfigureAwait(false);
        await new FileWatch<TModel>(host, monitor, logger).RunAsync(seen, _options, stoppingToken).ConfigureAwait(false);
    }
}
