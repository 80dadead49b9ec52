namespace Graphene.Optimizer;

/// <summary>Writes the decomposition of a composite, and collects what the composite is applied to.</summary>
/// <param name="outside">Where the composite will stand.</param>
internal sealed class DecompositionBuilder(GraphBuilder outside)
{
    private readonly List<Node> _operands = [];

    /// <summary>Where the composite will stand.</summary>
    public GraphBuilder Outside { get; } = outside;

    /// <summary>The decomposition.</summary>
    public GraphBuilder Inside { get; } = new(outside.Provenance);

    /// <summary>The values of its parameters.</summary>
    public IReadOnlyList<Node> Operands => _operands;

    /// <summary>The parameter that stands for a value; one for each value.</summary>
    public Node Parameter(Node value)
    {
        int number = _operands.FindIndex(o => ReferenceEquals(o, value));
        if (number < 0)
        {
            number = _operands.Count;
            _operands.Add(value);
        }
        return Inside.Parameter(number, value.Type);
    }
}
