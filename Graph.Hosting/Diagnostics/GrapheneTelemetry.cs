using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Graphene.Hosting;

/// <summary>The meter and the activity source of all models of a service, both called <see cref="Name"/>.</summary>
/// <remarks>
/// Names and units follow OpenTelemetry's conventions; docs/guide/services.md lists them. What changes with every run is counted, what
/// can be looked up is looked up when somebody collects.
/// </remarks>
public sealed class GrapheneTelemetry : IDisposable
{
    /// <summary>The name to listen to: <c>AddMeter(GrapheneTelemetry.Name)</c>, <c>AddSource(GrapheneTelemetry.Name)</c>.</summary>
    public const string Name = "Graphene";

    // From 10 microseconds to 10 seconds: runs of small models are short.
    private static readonly double[] RunBoundaries =
        [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Meter _meter;
    private ImmutableArray<IObservedModel> _models = [];

    /// <summary>Creates the instruments.</summary>
    /// <param name="factory">The service's; a meter of its own is made without one.</param>
    public GrapheneTelemetry(IMeterFactory? factory = null)
    {
        string version = typeof(GrapheneTelemetry).Assembly.GetName().Version!.ToString(3);
        var options = new MeterOptions(Name) { Version = version };
        _meter = factory?.Create(options) ?? new Meter(options);
        Source = new ActivitySource(Name, version);
        RunDuration = _meter.CreateHistogram(
            "graphene.model.run.duration", "s", "Time from taking a lease to its end",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = RunBoundaries });
        Runs = _meter.CreateCounter<long>("graphene.model.runs", "{run}", "Runs that ended, however they did");
        Failures = _meter.CreateCounter<long>("graphene.model.failures", "{run}", "Runs that ended with an error");
        Reloads = _meter.CreateCounter<long>("graphene.model.reloads", "{reload}", "Files that were looked at, by outcome");
        LoadDuration = _meter.CreateHistogram<double>(
            "graphene.model.load.duration", "s", "Time to read, verify and warm up a version");
        _meter.CreateObservableUpDownCounter(
            "graphene.model.active_runs", () => Each(m => m.ActiveRuns), "{run}", "Leases that have not ended");
        _meter.CreateObservableUpDownCounter(
            "graphene.model.versions", () => Each(m => m.LoadedVersions), "{version}", "Versions in memory");
        _meter.CreateObservableUpDownCounter(
            "graphene.model.memory", Memory, "By", "Native memory of the versions in memory");
        _meter.CreateObservableGauge("graphene.model.info", Info, description: "1, with the present version");
    }

    internal ActivitySource Source { get; }

    internal Histogram<double> RunDuration { get; }

    internal Histogram<double> LoadDuration { get; }

    internal Counter<long> Runs { get; }

    internal Counter<long> Failures { get; }

    internal Counter<long> Reloads { get; }

    internal static KeyValuePair<string, object?> ModelTag(string model) => new("graphene.model.name", model);

    internal void Observe(IObservedModel model) =>
        ImmutableInterlocked.Update(ref _models, static (models, added) => models.Add(added), model);

    internal void Forget(IObservedModel model) =>
        ImmutableInterlocked.Update(ref _models, static (models, gone) => models.Remove(gone), model);

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        Source.Dispose();
    }

    private IEnumerable<Measurement<long>> Each(Func<IObservedModel, long> value)
    {
        foreach (IObservedModel model in _models)
        {
            yield return new Measurement<long>(value(model), ModelTag(model.Name));
        }
    }

    private IEnumerable<Measurement<long>> Memory()
    {
        foreach (IObservedModel model in _models)
        {
            VersionMemory memory = model.Memory;
            yield return Of(memory.CodeBytes, "code");
            yield return Of(memory.ConstantBytes, "constants");

            Measurement<long> Of(long bytes, string kind) =>
                new(bytes, ModelTag(model.Name), new KeyValuePair<string, object?>("graphene.memory.kind", kind));
        }
    }

    private IEnumerable<Measurement<long>> Info()
    {
        foreach (IObservedModel model in _models)
        {
            if (model.Version is { } version)
            {
                yield return new Measurement<long>(
                    1, ModelTag(model.Name), new KeyValuePair<string, object?>("graphene.model.version", version.ShortHash));
            }
        }
    }
}
