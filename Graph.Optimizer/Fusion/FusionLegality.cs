namespace Graphene.Optimizer;

/// <summary>Decides whether a node may be computed inside a fusion, at the places it is asked for, and says why not.</summary>
/// <param name="maxFusionSize">The most nodes of a fusion.</param>
/// <param name="costs">What the machine can do, and at which price.</param>
internal sealed class FusionLegality(int maxFusionSize, FusionCostModel costs)
{
    private const string TransposeAlone = "it moves the fastest dimension, which is a kernel of its own";

    /// <summary>The reason against computing <paramref name="node"/> in <paramref name="cluster"/>; null when it may be.</summary>
    public string? ReasonAgainst(Node node, FusionCluster cluster, IReadOnlyList<FusionPosition> positions)
    {
        FusionRole role = FusionRoles.Of(node);
        if (role == FusionRole.Free)
        {
            return null;
        }
        if (cluster.IsSealed)
        {
            return Sealing.Admits(cluster, node, positions) ? null : "the fusion only moves data";
        }
        if (cluster.Weight + positions.Count > maxFusionSize)
        {
            return $"the fusion already computes {cluster.Weight} nodes";
        }
        if (positions.Count > FusionCostModel.MaxPlaces)
        {
            return $"it would be computed at {positions.Count} different places";
        }
        bool isElementwise = role is FusionRole.Map or FusionRole.Broadcast or FusionRole.Reshape;
        if (cluster.HasHero && !isElementwise && !costs.ReadsPartAfterHero(node))
        {
            return "only elementwise work joins a dot or convolution";
        }
        if (cluster.Across is not null && !(Turns(node) && costs.TurnsTiles(cluster.Weight + positions.Count)))
        {
            return "the fusion reads across memory, and takes little else";
        }
        foreach (FusionPosition position in positions)
        {
            if (ReasonAgainst(node, role, cluster, position, positions.Count) is { } reason)
            {
                return reason;
            }
        }
        return null;
    }

    /// <summary>True for what may be computed in a fusion that reads across memory: nothing that is guarded or repeated.</summary>
    public static bool Turns(Node node) => FusionRoles.Of(node) is FusionRole.Map or FusionRole.Broadcast or FusionRole.Reshape
        or FusionRole.Transpose or FusionRole.TupleElement or FusionRole.Free;

    /// <summary>True for what the caches hold, in whatever order it is read.</summary>
    public static bool IsSmall(Node node) => node.Shape.ElementCount is { IsStatic: true, Value: <= 4096 };

    private string? ReasonAgainst(Node node, FusionRole role, FusionCluster cluster, FusionPosition at, int places)
    {
        bool once = IsOnce(cluster, at);
        bool withinRow = cluster.Kind switch
        {
            FusionKind.Reduction => cluster.IsWithinRow(at),
            FusionKind.Loop => costs.IsOfLongRow(cluster.Space, at),
            _ => false,
        };
        return role switch
        {
            _ when cluster.HasHero && at.Axes is null => "a fusion of a dot or convolution keeps its shape",
            FusionRole.Map when node.Op.IsExpensive && places > 1 => "it is expensive and asked for at several places",
            FusionRole.Map when node.Op.IsExpensive && !once && !withinRow && !AllowsAgain(node, cluster) =>
                "it is expensive and would be computed again and again",
            FusionRole.Map when at is { Axes: null, Repeats: true } && !costs.AllowsRepeatedMap(node, cluster) =>
                "it would be computed again and again",
            FusionRole.Map or FusionRole.Broadcast or FusionRole.Pick or FusionRole.TupleElement => null,
            FusionRole.Reshape => null,
            FusionRole.Transpose when IsSmall(node) || FusionCostModel.KeepsRuns(((TransposeOp)node.Op).Permutation) => null,
            FusionRole.Transpose => places == 1 ? ReasonAgainstTurning(node, cluster, at) : TransposeAlone,
            FusionRole.Gather => once ? null : "the gathered elements would be looked up again and again",
            FusionRole.Window or FusionRole.Reduce when cluster.Members.Any(m => FusionRoles.Of(m) == FusionRole.Assemble) =>
                "the fusion puts its result together from pieces, and what loops would loop for each of them",
            FusionRole.Window => once && places == 1 && cluster.Kind == FusionKind.Loop ? null : "it would be computed again and again",
            FusionRole.Reduce => places == 1 ? ReasonAgainstReduce(node, cluster, at) : "it is asked for at several places",
            FusionRole.Hero => "a dot or convolution takes work on its result only while it is planned",
            FusionRole.Assemble when costs.JoinsPieces(node) && once && places == 1 && cluster.Kind == FusionKind.Loop
                && !cluster.Members.Any(m => FusionRoles.Of(m) == FusionRole.Window) => null,
            FusionRole.Assemble when places == 1 && Sealing.TakesTurns(cluster, node, at, costs) => null,
            FusionRole.Assemble => "it puts its result together from pieces, which is a kernel of its own",
            _ => "it is not computed by a fusion",
        };
    }

    private static bool IsOnce(FusionCluster cluster, FusionPosition at) =>
        at.Axes is null ? !at.Repeats : cluster.CoversAllLoops(at) || cluster.IsRow(at) || IsScalar(at);

    // A function of fewer elements than the fusion has, but not one that is asked for at places nobody knows.
    private bool AllowsAgain(Node node, FusionCluster cluster) =>
        !cluster.HasHero && costs.AllowsRepeatedFunction(node, cluster.Members.Count(m => IsRepeatedFunction(m, cluster)));

    private static bool IsRepeatedFunction(Node node, FusionCluster cluster) => node.Op.IsExpensive &&
        FusionRoles.Of(node) == FusionRole.Map && !cluster.PositionsOf(node).All(p => IsOnce(cluster, p));

    private string? ReasonAgainstTurning(Node node, FusionCluster cluster, FusionPosition at)
    {
        bool mayTurn = costs.TurnsTiles(cluster.Weight + 1) && cluster.Kind == FusionKind.Loop && at.Axes is not null &&
            cluster.CoversAllLoops(at) && cluster.Members.All(Turns);
        if (!mayTurn)
        {
            return TransposeAlone;
        }
        return FusionPlaces.Across(cluster, node, at) is { } across && cluster.Across is { } present && across != present
            ? "the fusion reads across memory along another dimension"
            : null;
    }

    private string? ReasonAgainstReduce(Node node, FusionCluster cluster, FusionPosition at)
    {
        var alignment = ReductionAlignment.TryFind(node, cluster, at);
        if (alignment is null)
        {
            return "the fusion does not loop over the rows that it reduces";
        }
        return alignment.AddsLoops || costs.AllowsRowFusion(cluster.Space, alignment.Reduced)
            ? null
            : "its rows are too long, too few or not together in memory";
    }

    private static bool IsScalar(FusionPosition at) => at.Axes is { } axes && axes.All(axis => axis < 0);
}
