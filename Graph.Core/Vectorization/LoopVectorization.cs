using System.Collections.Immutable;

namespace Graphene;

/// <summary>Mapping loops: all elements go round together, until the last one is done.</summary>
internal static class LoopVectorization
{
    /// <summary>The results of the mapped loop.</summary>
    public static Node[] Build(VectorizeSite site, WhileOp loop)
    {
        GraphBuilder b = site.Builder;
        bool[] mapped = Closure(loop, [.. Enumerable.Range(0, site.OperandCount).Select(site.IsMapped)], site.Size, b.Provenance);
        (Computation condition, bool[] differs) =
            VectorizedComputation.Close(loop.Condition, mapped, site.Size, null, b.Provenance);
        if (differs[0])
        {
            return Masked(site, loop);
        }
        Computation body = VectorizedComputation.Close(loop.Body, mapped, site.Size, mapped, b.Provenance).Computation;
        Node[] final = b.While([.. mapped.Select((m, i) => m ? site.Mapped(i) : site.Operand(i))], condition, body);
        return [.. final.Select((x, i) => mapped[i] ? x : b.Repeated(x, site.Size))];
    }

    // An element that is done keeps its values while others go on.
    private static Node[] Masked(VectorizeSite site, WhileOp loop)
    {
        GraphBuilder b = site.Builder;
        bool[] all = [.. Enumerable.Repeat(true, site.OperandCount)];
        Computation condition = VectorizedComputation.Close(loop.Condition, all, site.Size, [true], b.Provenance).Computation;
        Computation body = VectorizedComputation.Close(loop.Body, all, site.Size, all, b.Provenance).Computation;
        return b.While(
            site.AllMapped(),
            (inner, p) => inner.ReduceAny(ComputationCloner.Inline(condition, inner, p).Results[0], [0]),
            (inner, p) =>
            {
                Node goesOn = ComputationCloner.Inline(condition, inner, p).Results[0];
                ImmutableArray<Node> next = ComputationCloner.Inline(body, inner, p).Results;
                return [.. next.Select((x, i) => inner.Select(inner.BroadcastInDim(goesOn, x.Shape, [0]), x, p[i]))];
            });
    }

    // The carried values that differ from element to element after any number of rounds.
    private static bool[] Closure(WhileOp loop, bool[] mapped, Dim size, ProvenanceTable provenance)
    {
        while (true)
        {
            bool[] found = VectorizedComputation.Close(loop.Body, mapped, size, null, provenance).IsMapped;
            bool[] all = [.. found.Select((f, i) => f || mapped[i])];
            if (all.SequenceEqual(mapped))
            {
                return mapped;
            }
            mapped = all;
        }
    }
}
