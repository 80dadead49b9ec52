namespace Graphene.Optimizer;

/// <summary>Decides which nodes of a computation are computed together.</summary>
/// <remarks>
/// <code>
/// softmax:   m = reduce max x;  e = exp(x - broadcast m);  s = reduce sum e;  y = e / broadcast s      => one reduction fusion
/// dense:     d = dot(x, w);  y = maximum(d + broadcast bias, 0)                                        => one dot fusion
/// </code>
/// First each dot and convolution takes the elementwise work that follows it. Then nodes are visited users first. Each fusion
/// has a space it loops over, and knows at which place of the space it asks for each of its nodes; a node joins the fusions
/// that ask for it when they ask at places where computing it is cheap and right. A node that must be stored, or that several
/// fusions would compute at too high a price, is stored by one of the fusions that ask for it if that closes no cycle, else it
/// becomes the root of a fusion of its own. Last, fusions that loop over the same space and read the same tensor are joined.
/// A value computed twice has the same bits: every scalar instruction is deterministic.
/// </remarks>
internal sealed class FusionPlanner
{
    private readonly FusionGraph _graph;
    private readonly FusionCostModel _costs;
    private readonly FusionLegality _legality;
    private readonly PassContext _context;

    private FusionPlanner(Computation computation, PassContext context)
    {
        _graph = new FusionGraph(computation);
        _costs = new FusionCostModel(context.Options.Machine);
        _legality = new FusionLegality(context.Options.MaxFusionSize, _costs);
        _context = context;
    }

    /// <summary>Puts every node that a kernel computes into at least one fusion.</summary>
    public static FusionGraph Plan(Computation computation, PassContext context)
    {
        var planner = new FusionPlanner(computation, context);
        HeroEpilogues.Plan(planner._graph, context);
        foreach (Node node in planner._graph.Nodes.Reverse())
        {
            planner.Place(node);
        }
        SiblingFusion.Plan(planner._graph, planner._costs, context);
        return planner._graph;
    }

    private void Place(Node node)
    {
        FusionRole role = FusionRoles.Of(node);
        if (role is FusionRole.External or FusionRole.Hero || _graph.ClustersOf(node).Count > 0)
        {
            return;
        }
        List<Demand> demands = Demands(node);
        bool escapes = _graph.IsRoot(node) || _graph.UsersOf(node).Any(NeedsInMemory);
        if (role == FusionRole.TupleElement && FusionRoles.Of(node.Operands[0]) == FusionRole.External)
        {
            return;
        }
        if ((role == FusionRole.Reshape || node.Op is ConstantOp) && escapes)
        {
            return; // another name for memory that is there anyway
        }
        if (role == FusionRole.Free)
        {
            demands.ForEach(Join);
            if (escapes)
            {
                Store(node, []);
            }
        }
        else if (escapes || demands.Count == 0 || !TryCompute(node, demands))
        {
            Store(node, demands);
        }
    }

    // True for users that are not fused, and for dots and convolutions, whose operands lie in memory.
    private bool NeedsInMemory(Node user) => FusionRoles.Of(user) == FusionRole.Hero || _graph.ClustersOf(user).Count == 0;

    private List<Demand> Demands(Node node)
    {
        var demands = new List<Demand>();
        foreach (Node user in _graph.UsersOf(node).Where(u => !NeedsInMemory(u)))
        {
            foreach (FusionCluster cluster in _graph.ClustersOf(user))
            {
                Demand? demand = demands.Find(d => ReferenceEquals(d.Cluster, cluster));
                if (demand is null)
                {
                    demands.Add(demand = new Demand(node, cluster, []));
                }
                for (int i = 0; i < user.Operands.Length; i++)
                {
                    if (ReferenceEquals(user.Operands[i], node))
                    {
                        demand.AddPlaces(cluster.PositionsOf(user).Select(at => FusionPlaces.OfOperand(cluster, user, i, at)));
                    }
                }
            }
        }
        return demands;
    }

    // Computes the node inside all fusions that ask for it, when it needs no memory then.
    private bool TryCompute(Node node, List<Demand> demands)
    {
        if (!demands.TrueForAll(d => IsLegal(d)))
        {
            return false;
        }
        FusionRole role = FusionRoles.Of(node);
        bool movesOnly = role is FusionRole.Broadcast or FusionRole.Reshape or FusionRole.Pick or FusionRole.TupleElement;
        bool mayDuplicate = movesOnly || (role is FusionRole.Map or FusionRole.Transpose or FusionRole.Assemble &&
            _costs.PrefersDuplicates(node, demands.Count, demands.Exists(CanStore)));
        if (demands.Count > 1 && !mayDuplicate)
        {
            return false;
        }
        if (!_context.TryTakeRewrite(() => $"compute {node} in {demands.Count} fusions"))
        {
            return false;
        }
        demands.ForEach(Join);
        return true;
    }

    // Stores the node: as one more result of a fusion that asks for it, or by a fusion of its own.
    private void Store(Node node, List<Demand> demands)
    {
        foreach (Demand demand in demands)
        {
            if (IsLegal(demand) && CanStore(demand) && !_graph.StoringClosesCycle(node, demand.Cluster) &&
                _context.TryTakeRewrite(() => $"store {node} as one more result of {demand.Cluster}"))
            {
                Join(demand);
                demand.Cluster.Stored.Add(node);
                return;
            }
        }
        FusionCluster cluster = Root(node);
        cluster.Stored.Add(node);
    }

    private static bool CanStore(Demand demand) =>
        demand.Node.Types.Length == 1 && FusionRoles.Of(demand.Node) != FusionRole.Broadcast &&
        demand.Places.Count == 1 && demand.Cluster.CanStore(demand.Node, demand.Places[0]);

    private bool IsLegal(Demand demand)
    {
        string? reason = _legality.ReasonAgainst(demand.Node, demand.Cluster, demand.Places);
        if (reason is not null)
        {
            _context.Explain(() => $"{demand.Node} stays outside of {demand.Cluster}: {reason}");
        }
        return reason is null;
    }

    private void Join(Demand demand)
    {
        _graph.Add(demand.Cluster, demand.Node, demand.Places);
        if (demand.Node.Op is ReduceOp)
        {
            ReductionAlignment.TryFind(demand.Node, demand.Cluster, demand.Places[0])!.Apply(demand.Cluster);
        }
        NoteAcross(demand.Node, demand.Cluster, demand.Places);
    }

    private FusionCluster Root(Node node)
    {
        FusionRole role = FusionRoles.Of(node);
        if (role == FusionRole.Reduce)
        {
            var reduce = (ReduceOp)node.Op;
            Shape space = node.Operands[0].Shape;
            bool[] reduced = [.. Enumerable.Range(0, space.Rank).Select(reduce.Dimensions.Contains)];
            FusionCluster reduction = _graph.NewCluster(FusionKind.Reduction, space, reduced);
            Axes kept = reduce.Dimensions.Complement(space.Rank);
            _graph.Add(reduction, node, [FusionPosition.At(kept.Select(axis => space[axis] == 1 ? -1 : axis))]);
            return reduction;
        }
        Shape shape = node.Types[0].Shape;
        FusionCluster cluster = _graph.NewCluster(
            FusionKind.Loop, shape, new bool[shape.Rank], isSealed: Sealing.Seals(node, _costs));
        _graph.Add(cluster, node, [FusionPosition.Identity(shape)]);
        NoteAcross(node, cluster, [FusionPosition.Identity(shape)]);
        return cluster;
    }

    private void NoteAcross(Node node, FusionCluster cluster, IReadOnlyList<FusionPosition> places)
    {
        bool mayTurn = _costs.TurnsTiles(0) && cluster.Kind == FusionKind.Loop;
        if (mayTurn && FusionRoles.Of(node) == FusionRole.Transpose && !FusionLegality.IsSmall(node) &&
            FusionPlaces.Across(cluster, node, places[0]) is { } axis)
        {
            cluster.ReadAcross(axis);
        }
    }

    private sealed record Demand(Node Node, FusionCluster Cluster, List<FusionPosition> Places)
    {
        public void AddPlaces(IEnumerable<FusionPosition> places) =>
            Places.AddRange(places.Where(place => !Places.Exists(place.SameAs)));
    }
}
