namespace Graphene.Train;

/// <summary>The sums of loss and metrics over batches, added in f64 in the order of the batches.</summary>
internal sealed class RunningSums(IReadOnlyList<Metric> metrics)
{
    private double[][]? _sums;

    /// <summary>Adds the sums of a batch.</summary>
    public void Add(Literal[] batch)
    {
        _sums ??= Array.ConvertAll(batch, b => new double[b.ElementCount]);
        for (int i = 0; i < batch.Length; i++)
        {
            ReadOnlySpan<float> values = batch[i].As<float>();
            for (int at = 0; at < values.Length; at++)
            {
                _sums[i][at] += values[at];
            }
        }
    }

    /// <summary>The loss and the metrics by name.</summary>
    /// <param name="prefix">What stands in front of each name.</param>
    public IEnumerable<KeyValuePair<string, double>> Results(string prefix)
    {
        if (_sums is null)
        {
            yield break;
        }
        yield return new(prefix + "loss", _sums[0][0] / _sums[1][0]);
        int next = 2;
        for (int i = 0; i < metrics.Count; i++)
        {
            yield return new(prefix + metrics[i].Name, metrics[i].Result(_sums[next..(next + metrics[i].SumCount)]));
            next += metrics[i].SumCount;
        }
    }
}
