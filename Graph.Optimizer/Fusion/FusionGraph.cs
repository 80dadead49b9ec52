namespace Graphene.Optimizer;

/// <summary>A computation while its nodes are being put into fusions: users, escapes, and who depends on whom.</summary>
internal sealed class FusionGraph
{
    private static readonly List<FusionCluster> NoClusters = [];
    private readonly Dictionary<Node, int> _order = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, List<Node>> _users = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> _roots = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Node, List<FusionCluster>> _clusters = new(ReferenceEqualityComparer.Instance);
    private readonly List<FusionCluster> _all = [];

    public FusionGraph(Computation computation)
    {
        Nodes = computation.PostOrder();
        foreach (Node node in Nodes)
        {
            _order.Add(node, _order.Count);
            _users.Add(node, []);
            foreach (Node operand in node.Operands)
            {
                if (!_users[operand].Contains(node))
                {
                    _users[operand].Add(node);
                }
            }
        }
        _roots.UnionWith(computation.Results);
        _roots.UnionWith(computation.Effects);
    }

    /// <summary>All nodes, operands before users.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>The fusions so far.</summary>
    public IReadOnlyList<FusionCluster> Clusters => _all;

    public int OrderOf(Node node) => _order[node];

    /// <summary>The distinct users of a node.</summary>
    public IReadOnlyList<Node> UsersOf(Node node) => _users[node];

    /// <summary>True for results and effects of the computation.</summary>
    public bool IsRoot(Node node) => _roots.Contains(node);

    /// <summary>The fusions that compute a node.</summary>
    public IReadOnlyList<FusionCluster> ClustersOf(Node node) => _clusters.GetValueOrDefault(node, NoClusters);

    public FusionCluster NewCluster(FusionKind kind, Shape space, bool[] reduced, bool isSealed = false)
    {
        var cluster = new FusionCluster(_all.Count, kind, space, reduced, isSealed);
        _all.Add(cluster);
        return cluster;
    }

    public void Add(FusionCluster cluster, Node node, IReadOnlyList<FusionPosition> positions)
    {
        cluster.Add(node, _order[node], positions);
        if (!_clusters.TryGetValue(node, out List<FusionCluster>? list))
        {
            _clusters.Add(node, list = []);
        }
        list.Add(cluster);
    }

    /// <summary>Joins <paramref name="other"/> into <paramref name="cluster"/>.</summary>
    public void Merge(FusionCluster cluster, FusionCluster other)
    {
        foreach (Node node in other.Members)
        {
            _clusters[node].Remove(other);
            if (!_clusters[node].Contains(cluster))
            {
                _clusters[node].Add(cluster);
            }
        }
        cluster.Absorb(other);
        _all.Remove(other);
    }

    /// <summary>
    /// True when <paramref name="target"/> would wait for itself if it stored <paramref name="node"/>: another reader of the node
    /// leads back to it.
    /// </summary>
    public bool StoringClosesCycle(Node node, FusionCluster target)
    {
        if (_users[node].Any(user => target.Contains(user) && FusionRoles.Of(user) == FusionRole.Hero))
        {
            return true; // what a dot reads must be stored before the fusion starts
        }
        var search = new Search(this, target);
        search.PushReaders(node, target);
        return search.Run();
    }

    /// <summary>True when the results of <paramref name="from"/> reach <paramref name="target"/> through another fusion or node.</summary>
    public bool Reaches(FusionCluster from, FusionCluster target)
    {
        var search = new Search(this, target);
        foreach (Node stored in from.Stored)
        {
            search.PushReaders(stored, from);
        }
        return search.Run();
    }

    /// <summary>True when <paramref name="operand"/>, which lies outside of the given nodes, depends on one of them.</summary>
    public bool DependsOn(Node operand, FusionCluster cluster, IReadOnlyCollection<Node> inside)
    {
        int last = ClustersOf(operand).Select(c => c.Last).Append(OrderOf(operand)).Max();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance) { cluster };
        var pending = new Stack<Node>();
        foreach (Node node in inside)
        {
            PushAll(_users[node].Where(u => !inside.Contains(u)));
        }
        while (pending.TryPop(out Node? node))
        {
            if (ReferenceEquals(node, operand))
            {
                return true;
            }
            PushAll(_users[node]);
            foreach (FusionCluster other in ClustersOf(node).Where(seen.Add))
            {
                if (other.Contains(operand))
                {
                    return true;
                }
                PushAll(other.Stored.SelectMany(s => _users[s]));
            }
        }
        return false;

        void PushAll(IEnumerable<Node> nodes)
        {
            foreach (Node node in nodes)
            {
                if (_order[node] <= last && !inside.Contains(node) && seen.Add(node))
                {
                    pending.Push(node);
                }
            }
        }
    }

    // Walks from fusion to fusion (and over nodes that are in none) towards a target. The order of nodes tells nothing here: a fusion
    // that reads a late node may store an early one.
    private sealed class Search(FusionGraph graph, FusionCluster target)
    {
        private readonly HashSet<object> _seen = new(ReferenceEqualityComparer.Instance);
        private readonly Stack<object> _pending = new();
        private bool _found;

        public void PushReaders(Node node, FusionCluster? writer)
        {
            foreach (Node user in graph.UsersOf(node))
            {
                IReadOnlyList<FusionCluster> clusters = graph.ClustersOf(user);
                if (clusters.Count == 0 && _seen.Add(user))
                {
                    _pending.Push(user);
                }
                foreach (FusionCluster cluster in clusters)
                {
                    if (!ReferenceEquals(cluster, writer) && _seen.Add(cluster))
                    {
                        _found |= ReferenceEquals(cluster, target);
                        _pending.Push(cluster);
                    }
                }
            }
        }

        public bool Run()
        {
            while (!_found && _pending.TryPop(out object? unit))
            {
                if (unit is FusionCluster cluster)
                {
                    foreach (Node stored in cluster.Stored)
                    {
                        PushReaders(stored, cluster);
                    }
                }
                else
                {
                    PushReaders((Node)unit, null);
                }
            }
            return _found;
        }
    }
}
