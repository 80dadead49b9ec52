namespace Graphene.Optimizer;

/// <summary>Decides whether a node may be computed inside a fusion, at the places it is asked for, and says why not.</summary>
internal sealed class FusionLegality(int maxFusionSize)
{
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
            return "the fusion only moves data";
        }
        if (cluster.Weight + positions.Count > maxFusionSize)
        {
            return $"the fusion already computes {cluster.Weight} nodes";
        }
        if (positions.Count > FusionCostModel.MaxPlaces)
        {
            return $"it would be computed at {positions.Count} different places";
        }
        if (cluster.HasHero && role is not (FusionRole.Map or FusionRole.Broadcast or FusionRole.Reshape))
        {
            return "only elementwise work joins a dot or convolution";
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

    private static string? ReasonAgainst(Node node, FusionRole role, FusionCluster cluster, FusionPosition at, int places)
    {
        bool once = at.Axes is null ? !at.Repeats : cluster.CoversAllLoops(at) || cluster.IsRow(at) || IsScalar(at);
        bool withinRow = cluster.Kind == FusionKind.Reduction && cluster.IsWithinRow(at);
        return role switch
        {
            _ when cluster.HasHero && at.Axes is null => "a fusion of a dot or convolution keeps its shape",
            FusionRole.Map when node.Op.IsExpensive && places > 1 => "it is expensive and asked for at several places",
            FusionRole.Map when node.Op.IsExpensive && !once && !withinRow => "it is expensive and would be computed again and again",
            FusionRole.Map when at is { Axes: null, Repeats: true } => "it would be computed again and again",
            FusionRole.Map or FusionRole.Broadcast or FusionRole.Pick or FusionRole.TupleElement => null,
            FusionRole.Reshape => null,
            FusionRole.Transpose when IsSmall(node) || FusionCostModel.KeepsRuns(((TransposeOp)node.Op).Permutation) => null,
            FusionRole.Transpose => "it moves the fastest dimension, which is a kernel of its own",
            FusionRole.Gather => once ? null : "the gathered elements would be looked up again and again",
            FusionRole.Window => once && places == 1 && cluster.Kind == FusionKind.Loop ? null : "it would be computed again and again",
            FusionRole.Reduce => places == 1 ? ReasonAgainstReduce(node, cluster, at) : "it is asked for at several places",
            FusionRole.Hero => "a dot or convolution takes work on its result only while it is planned",
            FusionRole.Assemble => "it puts its result together from pieces, which is a kernel of its own",
            _ => "it is not computed by a fusion",
        };
    }

    private static string? ReasonAgainstReduce(Node node, FusionCluster cluster, FusionPosition at)
    {
        var alignment = ReductionAlignment.TryFind(node, cluster, at);
        if (alignment is null)
        {
            return "the fusion does not loop over the rows that it reduces";
        }
        return alignment.AddsLoops || FusionCostModel.AllowsRowFusion(cluster.Space, alignment.Reduced)
            ? null
            : "its rows are too long, too few or not together in memory";
    }

    private static bool IsScalar(FusionPosition at) => at.Axes is { } axes && axes.All(axis => axis < 0);

    private static bool IsSmall(Node node) => node.Shape.ElementCount is { IsStatic: true, Value: <= 4096 };
}
