namespace Graphene.Optimizer;

/// <summary>Follows index maps: where a fusion asks for an operand when it asks for the user at some place.</summary>
internal static class FusionPlaces
{
    /// <summary>The place of operand <paramref name="index"/> of <paramref name="user"/>.</summary>
    public static FusionPosition OfOperand(FusionCluster cluster, Node user, int index, FusionPosition at)
    {
        Node operand = user.Operands[index];
        if (user.Op is GetTupleElementOp)
        {
            return at;
        }
        if (operand.Rank == 0)
        {
            return FusionPosition.Scalar;
        }
        bool often = at.Axes is null ? at.Repeats : !cluster.CoversAllLoops(at) && !cluster.IsRow(at);
        FusionPosition computed = often ? FusionPosition.ComputedOften : FusionPosition.ComputedOnce;
        return FusionRoles.Of(user) switch
        {
            FusionRole.Map => at,
            FusionRole.Broadcast => Broadcast((BroadcastInDimOp)user.Op, operand, at),
            FusionRole.Reshape => Reshape(operand, user, at) ?? computed,
            FusionRole.Transpose => Transpose((TransposeOp)user.Op, at) ?? computed,
            FusionRole.Reduce => Reduce(cluster, user, at),
            FusionRole.Pick when index == 0 => computed,
            FusionRole.Assemble when user.Op is ConcatenateOp || (user.Op is PadOp && index == 0) => computed,
            _ => FusionPosition.ComputedOften,
        };
    }

    /// <summary>
    /// The loops of a reduction's operand: kept dimensions as in the result, the others on
    /// <paramref name="reducedAxes"/>.
    /// </summary>
    public static int[]? AxesOfReduced(ReduceOp op, Shape operand, int[] resultAxes, IReadOnlyList<int> reducedAxes)
    {
        var axes = new int[operand.Rank];
        int kept = 0;
        int reduced = 0;
        for (int i = 0; i < axes.Length; i++)
        {
            if (!op.Dimensions.Contains(i))
            {
                axes[i] = resultAxes[kept++];
            }
            else if (operand[i] == 1)
            {
                axes[i] = -1;
            }
            else if (reduced == reducedAxes.Count)
            {
                return null;
            }
            else
            {
                axes[i] = reducedAxes[reduced++];
            }
        }
        return reduced == reducedAxes.Count ? axes : null;
    }

    /// <summary>
    /// The loop along which the elements of a transpose's operand lie together when that is not the loop in lanes; null
    /// when it is, or cannot be known.
    /// </summary>
    public static int? Across(FusionCluster cluster, Node transpose, FusionPosition at)
    {
        if (OfOperand(cluster, transpose, 0, at).Axes is not { } axes)
        {
            return null;
        }
        int last = Enumerable.Range(0, cluster.Space.Rank).LastOrDefault(axis => cluster.Space[axis] != 1, -1);
        int fastest = axes.LastOrDefault(axis => axis >= 0, -1);
        return fastest == last || fastest < 0 ? null : fastest;
    }

    private static FusionPosition Broadcast(BroadcastInDimOp op, Node operand, FusionPosition at) => at.Axes is { } axes
        ? FusionPosition.At(operand.Shape.Select((dim, i) => dim == 1 ? -1 : axes[op.BroadcastDimensions[i]]))
        : FusionPosition.ComputedOften;

    // Dimensions of size 1 come and go; the others must be the same in the same order.
    private static FusionPosition? Reshape(Node operand, Node user, FusionPosition at)
    {
        if (at.Axes is not { } axes || !operand.Shape.Where(d => d != 1).SequenceEqual(user.Shape.Where(d => d != 1)))
        {
            return null;
        }
        var longAxes = new Queue<int>(axes.Where((_, i) => user.Shape[i] != 1));
        return FusionPosition.At(operand.Shape.Select(dim => dim == 1 ? -1 : longAxes.Dequeue()));
    }

    private static FusionPosition? Transpose(TransposeOp op, FusionPosition at)
    {
        if (at.Axes is not { } axes)
        {
            return null;
        }
        var result = new int[axes.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[op.Permutation[i]] = axes[i];
        }
        return FusionPosition.At(result);
    }

    private static FusionPosition Reduce(FusionCluster cluster, Node user, FusionPosition at)
    {
        int[] reduced = [.. Enumerable.Range(0, cluster.Space.Rank).Where(a => cluster.Reduced[a] && cluster.Space[a] != 1)];
        int[]? axes = at.Axes is null ? null : AxesOfReduced((ReduceOp)user.Op, user.Operands[0].Shape, at.Axes, reduced);
        return axes is null ? FusionPosition.ComputedOften : FusionPosition.At(axes);
    }
}
