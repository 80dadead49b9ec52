namespace Graphene.Optimizer;

/// <summary>A fusion under construction: a loop space, the nodes computed in it, and those of them that it stores.</summary>
internal sealed class FusionCluster
{
    private readonly Dictionary<Node, List<FusionPosition>> _members = new(ReferenceEqualityComparer.Instance);

    public FusionCluster(int id, FusionKind kind, Shape space, bool[] reduced, bool isSealed)
    {
        Id = id;
        Kind = kind;
        Space = space;
        Reduced = reduced;
        IsSealed = isSealed;
    }

    /// <summary>The order of creation.</summary>
    public int Id { get; }

    /// <summary>How it will be scheduled.</summary>
    public FusionKind Kind { get; private set; }

    /// <summary>The extents of the loops. For a reduction: the kept dimensions and the reduced ones.</summary>
    public Shape Space { get; private set; }

    /// <summary>Which loops are reduced; none in a loop fusion.</summary>
    public bool[] Reduced { get; private set; }

    /// <summary>True when it takes nothing but what is free.</summary>
    public bool IsSealed { get; }

    /// <summary>
    /// The loop along which it reads operands whose fastest dimension is not that of its results; null
    /// when there is none.
    /// </summary>
    public int? Across { get; private set; }

    /// <summary>The members that are stored to memory.</summary>
    public HashSet<Node> Stored { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>The nodes computed here.</summary>
    public IReadOnlyCollection<Node> Members => _members.Keys;

    /// <summary>The number of nodes computed here, each as often as it is asked for at a different place.</summary>
    public int Weight { get; private set; }

    /// <summary>The last place of its members in the order of the computation.</summary>
    public int Last { get; private set; } = -1;

    /// <summary>True when a dot or convolution stands at its centre.</summary>
    public bool HasHero => Kind is FusionKind.Dot or FusionKind.Convolution;

    public bool Contains(Node node) => _members.ContainsKey(node);

    /// <summary>The places a member is asked for.</summary>
    public IReadOnlyList<FusionPosition> PositionsOf(Node node) => _members[node];

    public void Add(Node node, int order, IReadOnlyList<FusionPosition> positions)
    {
        _members.Add(node, [.. positions]);
        Last = Math.Max(Last, order);
        Weight += Math.Max(1, positions.Count);
    }

    /// <summary>True when the projection asks for each element once: every loop that is longer than one round is among its axes.</summary>
    public bool CoversAllLoops(FusionPosition position) => Covers(position, axis => true);

    /// <summary>True when the projection is a row's: all kept loops, none of the reduced ones.</summary>
    public bool IsRow(FusionPosition position) =>
        Kind == FusionKind.Reduction && Covers(position, axis => !Reduced[axis]) && IsWithinRow(position);

    /// <summary>True when the projection uses kept loops only, so the value is computed once per row at most.</summary>
    public bool IsWithinRow(FusionPosition position) => position.Axes is { } axes && axes.All(axis => axis < 0 || !Reduced[axis]);

    /// <summary>True when a value asked for here can be stored: the whole space or, in a reduction, its rows, in order.</summary>
    public bool CanStore(Node node, FusionPosition position)
    {
        if (position.Axes is not { } axes || !IsAscending(axes))
        {
            return false;
        }
        return Kind == FusionKind.Reduction
            ? CoversAllLoops(position) || IsRow(position)
            : CoversAllLoops(position) && node.Shape.Equals(Space);
    }

    /// <summary>Notes that operands are read along a loop, across memory.</summary>
    public void ReadAcross(int axis) => Across ??= axis;

    /// <summary>Turns a loop fusion into a reduction over some of its loops.</summary>
    public void ReduceOver(bool[] reduced)
    {
        Kind = FusionKind.Reduction;
        Reduced = reduced;
    }

    /// <summary>Turns a loop fusion into the rows of a reduction: every loop gets a new number, and reduced loops are added.</summary>
    public void ExtendTo(Shape space, bool[] reduced, int[] newAxis)
    {
        Kind = FusionKind.Reduction;
        Space = space;
        Reduced = reduced;
        foreach (List<FusionPosition> positions in _members.Values)
        {
            for (int i = 0; i < positions.Count; i++)
            {
                positions[i] = positions[i].Renumber(newAxis);
            }
        }
    }

    /// <summary>Takes over everything that another fusion over the same space holds.</summary>
    public void Absorb(FusionCluster other)
    {
        if (other.Kind == FusionKind.Reduction)
        {
            ReduceOver(other.Reduced);
        }
        foreach ((Node node, List<FusionPosition> positions) in other._members)
        {
            if (_members.TryGetValue(node, out List<FusionPosition>? present))
            {
                present.AddRange(positions.Where(p => !present.Exists(p.SameAs)));
            }
            else
            {
                _members.Add(node, [.. positions]);
                Weight += Math.Max(1, positions.Count);
            }
        }
        Across ??= other.Across;
        Last = Math.Max(Last, other.Last);
        Stored.UnionWith(other.Stored);
    }

    public override string ToString() => $"fusion {Id} ({Kind}, {Space})";

    private bool Covers(FusionPosition position, Func<int, bool> axisMatters) =>
        position.Axes is { } axes &&
        Enumerable.Range(0, Space.Rank).All(axis => Space[axis] == 1 || !axisMatters(axis) || axes.Contains(axis));

    private static bool IsAscending(int[] axes)
    {
        int last = -1;
        foreach (int axis in axes)
        {
            if (axis >= 0 && axis <= last)
            {
                return false;
            }
            last = Math.Max(last, axis);
        }
        return true;
    }
}
