using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Graphene.Hosting;

/// <summary>One model of a service: the present version, those before it that are still in use, and the way from one to the next.</summary>
/// <remarks>
/// The present version is one reference. A lease reads it and counts itself in, which fails only when the version was
/// replaced and given back by everybody in between; then it reads again. Nobody ever waits for a reload.
/// </remarks>
internal sealed class ModelHost<TModel> : IGrapheneModel<TModel>, IObservedModel, IDisposable
    where TModel : class, IDisposable
{
    private readonly ModelLoader<TModel> _loader;
    private readonly GrapheneTelemetry _telemetry;
    private readonly ILogger _logger;
    private LoadedVersion<TModel>? _current;
    private ImmutableArray<LoadedVersion<TModel>> _loaded = [];
    private volatile ReloadFailure? _lastFailure;
    private volatile bool _disposed;

    public ModelHost(string name, ModelLoader<TModel> loader, GrapheneTelemetry telemetry, ILogger logger)
    {
        Name = name;
        _loader = loader;
        _telemetry = telemetry;
        _logger = logger;
        Telemetry = new ModelTelemetry(telemetry, name);
        Slots = new LeasePool<TModel>(this);
        telemetry.Observe(this);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc cref="IGrapheneModel{TModel}.Version"/>
    public ModelVersion? Version => Volatile.Read(ref _current)?.Info;

    /// <inheritdoc/>
    public long ActiveRuns => _loaded.Sum(v => (long)v.Leases);

    /// <inheritdoc/>
    public long LoadedVersions => _loaded.Length;

    /// <inheritdoc/>
    public VersionMemory Memory => new(_loaded.Sum(v => v.Memory.CodeBytes), _loaded.Sum(v => v.Memory.ConstantBytes));

    /// <inheritdoc/>
    public ReloadFailure? LastFailure => _lastFailure;

    /// <summary>Where runs are counted.</summary>
    public ModelTelemetry Telemetry { get; }

    /// <summary>Where leases come from.</summary>
    public LeasePool<TModel> Slots { get; }

    /// <inheritdoc/>
    public ModelLease<TModel> Acquire()
    {
        while (true)
        {
            LoadedVersion<TModel> version = Volatile.Read(ref _current) ?? throw NoVersion();
            if (version.TryHold())
            {
                return Begin(version);
            }
        }
    }

    /// <summary>Loads the first version.</summary>
    /// <returns>What its file looked like.</returns>
    /// <exception cref="GraphException">It cannot be used.</exception>
    public async Task<FileFingerprint> LoadFirstAsync(GrapheneModelOptions options, CancellationToken cancellation)
    {
        Activity? activity = Telemetry.BeginLoad();
        try
        {
            using SettledFile file = await SettledFile.TakeAsync(options, cancellation).ConfigureAwait(false);
            LoadedVersion<TModel> version = Install(file, options, number: 1, cancellation);
            ModelLog.Ready(_logger, Name, version.Info.ShortHash, version.Info.Path, version.Info.LoadTime.TotalMilliseconds);
            Telemetry.EndLoad(activity, ReloadOutcome.Loaded, version.Info, null);
            return file.Fingerprint;
        }
        catch (Exception e)
        {
            ModelLog.NotLoaded(_logger, Name, e.Message);
            Telemetry.EndLoad(activity, ReloadOutcome.Failed, null, e);
            throw;
        }
    }

    /// <summary>Puts a changed file in the place of the present version, or leaves everything as it is.</summary>
    public async Task<ReloadOutcome> ReloadAsync(GrapheneModelOptions options, CancellationToken cancellation)
    {
        ModelVersion old = Version!;
        Activity? activity = Telemetry.BeginLoad();
        Exception? error = null;
        ReloadOutcome outcome;
        try
        {
            using SettledFile file = await SettledFile.TakeAsync(options, cancellation).ConfigureAwait(false);
            if (file.Hash == old.Hash)
            {
                outcome = ReloadOutcome.Unchanged;
                ModelLog.Unchanged(_logger, Name, options.Path!, old.ShortHash);
            }
            else
            {
                LoadedVersion<TModel> version = Install(file, options, old.Number + 1, cancellation);
                outcome = ReloadOutcome.Loaded;
                ModelLog.Replaced(
                    _logger, Name, version.Info.ShortHash, old.ShortHash, version.Info.LoadTime.TotalMilliseconds);
            }
            _lastFailure = null;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            error = e;
            outcome = (e as GraphException)?.Id == HostingDiagnostics.FileNotReadable ? ReloadOutcome.Unreadable : ReloadOutcome.Failed;
            if (_lastFailure?.Error.Message != e.Message)
            {
                ModelLog.NotTaken(_logger, Name, options.Path!, old.ShortHash, e.Message);
            }
            _lastFailure = new ReloadFailure(DateTimeOffset.UtcNow, e);
        }
        Telemetry.EndLoad(activity, outcome, Version, error);
        return outcome;
    }

    /// <summary>Lets go of the present version; requests that hold it finish.</summary>
    public void Dispose()
    {
        _disposed = true;
        _telemetry.Forget(this);
        Interlocked.Exchange(ref _current, null)?.Retire();
    }

    private ModelLease<TModel> Begin(LoadedVersion<TModel> version)
    {
        try
        {
            return Slots.Take().Begin(version);
        }
        catch
        {
            version.Release(); // somebody who listens to traces threw
            throw;
        }
    }

    private LoadedVersion<TModel> Install(
        SettledFile file, GrapheneModelOptions options, int number, CancellationToken cancellation)
    {
        LoadedVersion<TModel> version = _loader.Load(file, options, number, Forget, cancellation);
        ImmutableInterlocked.Update(ref _loaded, static (loaded, added) => loaded.Add(added), version);
        LoadedVersion<TModel>? old = Interlocked.Exchange(ref _current, version);
        old?.Retire();
        if (_disposed)
        {
            Interlocked.Exchange(ref _current, null)?.Retire(); // the service stopped between the two
        }
        return version;
    }

    private void Forget(LoadedVersion<TModel> version)
    {
        ImmutableInterlocked.Update(ref _loaded, static (loaded, gone) => loaded.Remove(gone), version);
        ModelLog.Unloaded(_logger, Name, version.Info.ShortHash);
    }

    private Exception NoVersion()
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(IGrapheneModel<TModel>));
        return new GraphException(
            HostingDiagnostics.NotLoaded, $"model '{Name}' is asked for before it is loaded",
            why: "the host loads models when it starts",
            fix: "start the host first; with LoadInBackground, send no requests before the health check says healthy");
    }
}
