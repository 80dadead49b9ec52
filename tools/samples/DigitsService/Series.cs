using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Graphene.Samples.DigitsService;

/// <summary>The values of one instrument with one set of labels.</summary>
internal sealed class Series
{
    private readonly Lock _lock = new();
    private readonly bool _adds;
    private readonly double[]? _boundaries;
    private readonly long[] _buckets;
    private double _value;
    private long _count;

    private Series(bool adds, double[]? boundaries)
    {
        _adds = adds;
        _boundaries = boundaries;
        _buckets = new long[boundaries?.Length ?? 0];
    }

    /// <summary>Makes what an instrument needs.</summary>
    public static Series For(Instrument instrument) => instrument is Histogram<double> histogram
        ? new Series(adds: true, [.. histogram.Advice?.HistogramBucketBoundaries ?? [0.01, 0.1, 1, 10]])
        : new Series(adds: !instrument.IsObservable, null);

    /// <summary>A measurement.</summary>
    public void Add(double value)
    {
        lock (_lock)
        {
            _value = _adds ? _value + value : value;
            _count++;
            for (int i = 0; i < _buckets.Length; i++)
            {
                _buckets[i] += value <= _boundaries![i] ? 1 : 0;
            }
        }
    }

    /// <summary>Forgets what was observed.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _count = 0;
        }
    }

    /// <summary>Writes the lines of the series.</summary>
    public void Write(StringBuilder text, string name, string labels)
    {
        lock (_lock)
        {
            if (_boundaries is null)
            {
                if (_count > 0)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {_value:R}\n");
                }
                return;
            }
            string comma = labels.Length == 0 ? "" : ",";
            for (int i = 0; i < _buckets.Length; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"{_boundaries[i]:R}\"}} {_buckets[i]}\n");
            }
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {_count}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{{{labels}}} {_value:R}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_count{{{labels}}} {_count}\n");
        }
    }
}
