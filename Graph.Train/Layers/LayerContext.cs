namespace Graphene.Train;

/// <summary>Where and how layers are called: in which graph, for training or not, and what their calls leave to be done.</summary>
/// <remarks>
/// One context serves one forward pass. A model is called twice in its graph, with a context for training and one for
/// prediction; both passes read the same weights.
/// </remarks>
/// <param name="graph">The graph that layers build in.</param>
/// <param name="training">True when layers behave as in training: dropout drops, batch normalization uses the batch.</param>
/// <param name="seed">Decides all random numbers: equal seeds and equal names of weights give equal bits.</param>
public sealed class LayerContext(Graph graph, bool training, long seed = 0)
{
    private readonly List<Operation> _updates = [];
    private readonly List<Tensor> _losses = [];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    /// <summary>The graph.</summary>
    public Graph Graph { get; } = graph;

    /// <summary>True when layers behave as in training.</summary>
    public bool Training { get; } = training;

    /// <summary>Decides all random numbers.</summary>
    public long Seed { get; } = seed;

    /// <summary>What a training step does besides the optimizer's work, such as moving averages of statistics.</summary>
    public IReadOnlyList<Operation> Updates => _updates;

    /// <summary>Scalars that are added to the loss, such as penalties of weights.</summary>
    public IReadOnlyList<Tensor> Losses => _losses;

    /// <summary>Makes an operation part of the training step.</summary>
    public void AddUpdate(Operation update) => _updates.Add(update);

    /// <summary>Adds a scalar to the loss.</summary>
    public void AddLoss(Tensor loss) => _losses.Add(loss);

    /// <summary>A name that no other layer in the same scope has: the given one, with a number from the second on.</summary>
    internal string UniqueName(string name)
    {
        string full = $"{Graph.CurrentScope}/{name}";
        int count = _names.GetValueOrDefault(full);
        _names[full] = count + 1;
        return count == 0 ? name : $"{name}_{count}";
    }

    /// <summary>The key of the random numbers of a variable that is about to be made in the present scope.</summary>
    /// <remarks>Two models in one graph may use the same names; the second use of a name has other numbers.</remarks>
    internal ulong KeyOf(string name)
    {
        string full = $"{Graph.CurrentScope}/{name}";
        int before = Graph.Variables.Count(v => v.Name == full || v.Name.StartsWith(full + "_", StringComparison.Ordinal));
        return RandomNumbers.KeyOf(Seed, before == 0 ? full : $"{full}#{before}");
    }
}
