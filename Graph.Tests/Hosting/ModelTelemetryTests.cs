using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Graphene.Hosting;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>The metrics and traces that docs/guide/services.md promises.</summary>
internal sealed class ModelTelemetryTests : ModelFileFixture
{
    [Test]
    public async Task RunsFailuresAndReloadsAreCounted()
    {
        await using TestHost host = TestHost.Reloading(Bundle);
        using var metrics = new Recorded(host);
        await host.StartAsync();
        await metrics.Settle();

        for (int i = 0; i < 3; i++)
        {
            host.Model.Run(m => m.Scale());
        }
        Assert.That(() => host.Model.Run<ScaleModel, int>(_ => throw new FormatException()), Throws.TypeOf<FormatException>());
        Assert.That(
            () => host.Model.Run<ScaleModel, int>(_ => throw new OperationCanceledException()),
            Throws.InstanceOf<OperationCanceledException>());
        ScaleBundles.Replace(Bundle, ScaleBundles.Damaged());
        await TestHost.Until(() => metrics.Sum("graphene.model.reloads", "failed") == 1, "a failed reload");

        Assert.Multiple(() =>
        {
            Assert.That(metrics.Sum("graphene.model.runs"), Is.EqualTo(5));
            Assert.That(metrics.Count("graphene.model.run.duration"), Is.EqualTo(5));
            Assert.That(metrics.Sum("graphene.model.failures"), Is.EqualTo(1));
            Assert.That(metrics.Sum("graphene.model.failures", "System.FormatException"), Is.EqualTo(1));
            Assert.That(metrics.Sum("graphene.model.reloads", "loaded"), Is.EqualTo(1));
            Assert.That(metrics.Count("graphene.model.load.duration"), Is.EqualTo(1));
            Assert.That(metrics.Names, Has.All.Contains("ScaleModel"));
        });
    }

    [Test]
    public async Task TheStateCanBeObserved()
    {
        await using TestHost host = TestHost.Reloading(Bundle);
        using var metrics = new Recorded(host);
        await host.StartAsync();
        using ModelLease<ScaleModel> lease = host.Model.Acquire();
        ScaleBundles.Replace(Bundle, ScaleBundles.Three);
        await host.UntilScale(3);

        metrics.Observe();

        Assert.Multiple(() =>
        {
            Assert.That(metrics.Sum("graphene.model.active_runs"), Is.EqualTo(1));
            Assert.That(metrics.Sum("graphene.model.versions"), Is.EqualTo(2));
            Assert.That(metrics.Sum("graphene.model.memory", "code"), Is.GreaterThan(0));
            Assert.That(metrics.Sum("graphene.model.info", host.Model.Version!.ShortHash), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task RunsAndLoadsAreTraced()
    {
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == GrapheneTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using TestHost host = await TestHost.Build(s =>
            s.AddGrapheneModel<ScaleModel>("traced").FromFile(Bundle)).StartAsync();
        var model = host.Host.Services.GetRequiredKeyedService<IGrapheneModel<ScaleModel>>("traced");

        model.Run(m => m.Scale());
        Assert.That(() => model.Run<ScaleModel, int>(_ => throw new FormatException()), Throws.TypeOf<FormatException>());

        Activity[] load = [.. activities.Where(a => a.OperationName == "load traced")];
        Activity[] runs = [.. activities.Where(a => a.OperationName == "run traced")];
        Assert.That((load.Length, runs.Length), Is.EqualTo((1, 2)));
        Assert.That(load[0].GetTagItem("graphene.reload.outcome"), Is.EqualTo("loaded"));
        Assert.That(runs.Select(r => r.GetTagItem("graphene.model.version")), Is.All.EqualTo(model.Version!.ShortHash));
        Assert.That((runs[0].Status, runs[1].Status), Is.EqualTo((ActivityStatusCode.Unset, ActivityStatusCode.Error)));
        Assert.That(runs[1].GetTagItem("error.type"), Is.EqualTo("System.FormatException"));
        Assert.That(Activity.Current, Is.Null);
    }

    // What the meter of one host reports.
    private sealed class Recorded : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<(string Name, double Value, string Tags)> _measured = new();

        public Recorded(TestHost host)
        {
            var factory = host.Host.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == GrapheneTelemetry.Name && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Record(i, value, tags));
            _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Record(i, value, tags));
            _listener.Start();
        }

        public IEnumerable<string> Names => _measured.Select(m => m.Tags);

        public void Observe() => _listener.RecordObservableInstruments();

        public double Sum(string name, string tag = "") => Of(name, tag).Sum(m => m.Value);

        public int Count(string name) => Of(name, "").Count();

        // The first load is counted after the host has started or before; either way soon.
        public Task Settle() => TestHost.Until(() => Sum("graphene.model.reloads") > 0, "the first load is counted");

        public void Dispose() => _listener.Dispose();

        private IEnumerable<(string Name, double Value, string Tags)> Of(string name, string tag) =>
            _measured.Where(m => m.Name == name && m.Tags.Contains(tag, StringComparison.Ordinal));

        private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            _measured.Enqueue((instrument.Name, value, string.Join(';', tags.ToArray().Select(t => $"{t.Key}={t.Value}"))));
    }
}
