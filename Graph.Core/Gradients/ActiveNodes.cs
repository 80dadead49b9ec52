namespace Graphene;

/// <summary>The nodes between some values and what is computed of them, through which gradients pass.</summary>
internal sealed class ActiveNodes
{
    private readonly HashSet<Node> _active = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> _sources;
    private readonly IReadOnlySet<Node> _stops;

    /// <summary>Finds them.</summary>
    /// <param name="ys">What is computed.</param>
    /// <param name="xs">The values it is computed of.</param>
    /// <param name="stops">Values that count as constants; a cotangent of one that is asked for ends there.</param>
    public ActiveNodes(IReadOnlyList<Node> ys, IEnumerable<Node> xs, IReadOnlySet<Node>? stops = null)
    {
        _stops = stops ?? new HashSet<Node>();
        _sources = new HashSet<Node>(xs, ReferenceEqualityComparer.Instance);
        var ordered = new List<Node>();
        foreach (Node node in Traversal.PostOrder(ys))
        {
            if (IsFloating(node) && (_sources.Contains(node) || (LetsThrough(node) && node.Operands.Any(Passes))))
            {
                _active.Add(node);
                ordered.Add(node);
            }
        }
        Ordered = ordered;
    }

    /// <summary>The nodes, operands before users.</summary>
    public IReadOnlyList<Node> Ordered { get; }

    /// <summary>True when a gradient with respect to one of the values passes through a node.</summary>
    public bool Contains(Node node) => _active.Contains(node);

    /// <summary>True when a user of a node may give it a cotangent.</summary>
    public bool Passes(Node node) => _active.Contains(node) && (!_stops.Contains(node) || _sources.Contains(node));

    /// <summary>True when a node gives cotangents to its operands.</summary>
    public bool PassesOn(Node node) => _active.Contains(node) && LetsThrough(node) && node.Operands.Any(Passes);

    private bool LetsThrough(Node node) => node.Op.Gradient.Kind != GradientKind.Zero && !_stops.Contains(node);

    private static bool IsFloating(Node node) => node.Types.Any(type => type.DType.IsFloating());
}
