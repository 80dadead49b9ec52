namespace Graphene;

/// <summary>Forward mode through a loop: a loop that carries the tangents along.</summary>
internal static class LoopJvp
{
    /// <summary>The tangents of a loop's results.</summary>
    public static Node?[] Build(JvpSite site, WhileOp loop)
    {
        GraphBuilder b = site.Builder;
        bool[] carries = Closure(loop, [.. site.Tangents.Select(t => t is not null)], b.Provenance);
        int n = carries.Length;
        Node[] tangents = [.. Enumerable.Range(0, n).Where(i => carries[i]).Select(site.Tangent)];
        Computation body = new ComputationJvp(loop.Body, carries, b.Provenance).Close(carries, withResults: true);
        Computation condition = EffectFree.Of(loop.Condition, b.Provenance);
        Node[] final = b.While(
            [.. site.Node.Operands, .. tangents],
            (inner, p) => ComputationCloner.Inline(condition, inner, p[..n]).Results[0],
            (inner, p) => [.. ComputationCloner.Inline(body, inner, p).Results]);
        int next = n;
        return [.. carries.Select(c => c ? final[next++] : null)];
    }

    /// <summary>The carried values that change with some of them, in any number of rounds.</summary>
    public static bool[] Closure(WhileOp loop, bool[] start, ProvenanceTable provenance)
    {
        bool[] reached = [.. start.Select((s, i) => s && loop.Body.Parameters[i].DType.IsFloating())];
        while (true)
        {
            bool[] found = new ComputationJvp(loop.Body, reached, provenance).Found;
            bool[] all = [.. found.Select((f, i) => f || reached[i])];
            if (all.SequenceEqual(reached))
            {
                return reached;
            }
            reached = all;
        }
    }
}
