using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Graphene.Hosting;

namespace Graphene.Samples.DigitsService;

/// <summary>The meters of this service in Prometheus' text format.</summary>
/// <remarks>
/// What an exporter of OpenTelemetry does, for a sample that should show metrics without one. Counters and histograms are kept as
/// they are reported, what can be observed is asked for when the page is read.
/// </remarks>
internal sealed class MetricsPage : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(Instrument Instrument, string Labels), Series> _series = new();

    /// <summary>Listens to the meter of the models.</summary>
    /// <param name="factory">The meters of this service, not of another in the same process.</param>
    public MetricsPage(IMeterFactory factory)
    {
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

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>The page.</summary>
    public override string ToString()
    {
        foreach (Series series in _series.Where(s => s.Key.Instrument.IsObservable).Select(s => s.Value))
        {
            series.Clear(); // what is not reported any more, as an old version, is no more
        }
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var instrument in _series.GroupBy(s => s.Key.Instrument).OrderBy(g => g.Key.Name, StringComparer.Ordinal))
        {
            string name = NameOf(instrument.Key);
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {instrument.Key.Description}\n");
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {TypeOf(instrument.Key)}\n");
            foreach (var ((_, labels), series) in instrument.OrderBy(s => s.Key.Labels, StringComparer.Ordinal))
            {
                series.Write(text, name, labels);
            }
        }
        return text.ToString();
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach ((string key, object? tag) in tags)
        {
            string quoted = $"{tag}".Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            labels.Append(labels.Length == 0 ? "" : ",").Append(key.Replace('.', '_')).Append($"=\"{quoted}\"");
        }
        Series series = _series.GetOrAdd((instrument, labels.ToString()), static key => Series.For(key.Instrument));
        series.Add(value);
    }

    private static string NameOf(Instrument instrument)
    {
        string unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        string total = instrument is Counter<long> ? "_total" : "";
        return instrument.Name.Replace('.', '_') + unit + total;
    }

    private static string TypeOf(Instrument instrument) =>
        instrument is Counter<long> ? "counter" : instrument is Histogram<double> ? "histogram" : "gauge";
}
