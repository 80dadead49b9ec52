namespace Graphene.Optimizer;

/// <summary>Joins fusions that loop over the same space and read the same tensor: it is read once.</summary>
/// <remarks><code>sum(x) and max(x) over the same rows  =>  one reduction fusion with two results</code></remarks>
internal static class SiblingFusion
{
    public static void Plan(FusionGraph graph, FusionCostModel costs, PassContext context)
    {
        foreach (Node shared in graph.Nodes)
        {
            List<FusionCluster> readers = [.. graph.UsersOf(shared).SelectMany(graph.ClustersOf).Distinct()
                .Where(c => !c.Contains(shared) && !c.HasHero && !c.IsSealed && ReadsAll(graph, c, shared))];
            for (int i = 0; i < readers.Count; i++)
            {
                for (int j = readers.Count - 1; j > i; j--)
                {
                    if (MayJoin(graph, costs, readers[i], readers[j], context) &&
                        context.TryTakeRewrite(() => $"join {readers[j]} to {readers[i]}"))
                    {
                        graph.Merge(readers[i], readers[j]);
                        readers.RemoveAt(j);
                    }
                }
            }
        }
    }

    private static bool ReadsAll(FusionGraph graph, FusionCluster cluster, Node shared) =>
        shared.Types.Length == 1 &&
        graph.UsersOf(shared).Where(cluster.Contains).Any(user => user.Operands.Select((operand, i) => (operand, i)).Any(
            pair => ReferenceEquals(pair.operand, shared) && cluster.PositionsOf(user).Any(
                at => cluster.CoversAllLoops(FusionPlaces.OfOperand(cluster, user, pair.i, at)))));

    private static bool MayJoin(FusionGraph graph, FusionCostModel costs, FusionCluster a, FusionCluster b, PassContext context)
    {
        if (!a.Space.Equals(b.Space) || a.Weight + b.Weight > context.Options.MaxFusionSize)
        {
            return false;
        }
        if ((a.Across ?? b.Across) is not null && (a.Across != b.Across || !costs.TurnsTiles(a.Weight + b.Weight)))
        {
            return false; // one reads across memory in a way that the other does not
        }
        bool sameRows = a.Kind != FusionKind.Reduction || b.Kind != FusionKind.Reduction ||
            a.Reduced.AsSpan().SequenceEqual(b.Reduced);
        bool mixed = a.Kind != b.Kind;
        if (mixed && (PutsPiecesTogether(a) || PutsPiecesTogether(b)))
        {
            return false;
        }
        bool[] reduced = a.Kind == FusionKind.Reduction ? a.Reduced : b.Reduced;
        return sameRows && (!mixed || costs.AllowsRowFusion(a.Space, reduced)) &&
            !graph.Reaches(a, b) && !graph.Reaches(b, a);
    }

    private static bool PutsPiecesTogether(FusionCluster cluster) => cluster.Members.Any(m => FusionRoles.Of(m) == FusionRole.Assemble);
}
