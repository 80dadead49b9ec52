namespace Graphene.Train;

/// <summary>The course of a training: loss and metrics of each epoch.</summary>
public sealed class History
{
    private readonly List<IReadOnlyDictionary<string, double>> _epochs = [];

    /// <summary>The numbers of each epoch by name: <c>loss</c>, the metrics, and with <c>val_</c> in front those of validation.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, double>> Epochs => _epochs;

    /// <summary>The numbers of the last epoch.</summary>
    public IReadOnlyDictionary<string, double> Last => _epochs[^1];

    /// <summary>One number over all epochs.</summary>
    public double[] this[string name] => [.. _epochs.Select(e => e[name])];

    internal void Add(IReadOnlyDictionary<string, double> epoch) => _epochs.Add(epoch);
}
