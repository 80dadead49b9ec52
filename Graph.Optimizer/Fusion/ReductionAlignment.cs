namespace Graphene.Optimizer;

/// <summary>How a reduction fits into a fusion that asks for its result.</summary>
/// <remarks>
/// Either the fusion already loops over everything that is reduced (softmax: it loops over rows and columns and asks for one
/// maximum per row), or it loops over the reduction's results only (a mean: sum, then divide) and gets the reduced loops added.
/// </remarks>
/// <param name="AddsLoops">True when the fusion gets loops added.</param>
/// <param name="Space">The loops afterwards.</param>
/// <param name="Reduced">Which of them are reduced.</param>
/// <param name="NewAxis">For added loops: the new number of each old one, -1 for one of size 1 that vanishes.</param>
internal sealed record ReductionAlignment(bool AddsLoops, Shape Space, bool[] Reduced, int[] NewAxis)
{
    public static ReductionAlignment? TryFind(Node reduce, FusionCluster cluster, FusionPosition at)
    {
        if (at.Axes is not { } axes)
        {
            return null;
        }
        var op = (ReduceOp)reduce.Op;
        Shape operand = reduce.Operands[0].Shape;
        int[] missing = [.. Enumerable.Range(0, cluster.Space.Rank).Where(a => cluster.Space[a] != 1 && !axes.Contains(a))];
        return missing.Length == 0 && cluster.Kind == FusionKind.Loop
            ? AddLoops(op, operand, cluster, axes)
            : UseLoops(op, operand, cluster, axes, missing);
    }

    /// <summary>Makes the fusion a reduction in this way.</summary>
    public void Apply(FusionCluster cluster)
    {
        if (AddsLoops)
        {
            cluster.ExtendTo(Space, Reduced, NewAxis);
        }
        else
        {
            cluster.ReduceOver(Reduced);
        }
    }

    private static ReductionAlignment? UseLoops(ReduceOp op, Shape operand, FusionCluster cluster, int[] axes, int[] missing)
    {
        if (FusionPlaces.AxesOfReduced(op, operand, axes, missing) is not { } operandAxes)
        {
            return null;
        }
        var reduced = new bool[cluster.Space.Rank];
        int last = -1;
        for (int i = 0; i < operandAxes.Length; i++)
        {
            int axis = operandAxes[i];
            if (axis < 0)
            {
                continue;
            }
            if (axis <= last || cluster.Space[axis] != operand[i])
            {
                return null;
            }
            last = axis;
            reduced[axis] = op.Dimensions.Contains(i);
        }
        bool agrees = cluster.Kind == FusionKind.Loop || cluster.Reduced.AsSpan().SequenceEqual(reduced);
        return agrees ? new ReductionAlignment(false, cluster.Space, reduced, []) : null;
    }

    private static ReductionAlignment? AddLoops(ReduceOp op, Shape operand, FusionCluster cluster, int[] axes)
    {
        Axes kept = op.Dimensions.Complement(operand.Rank);
        var newAxis = new int[cluster.Space.Rank];
        Array.Fill(newAxis, -1);
        int last = -1;
        for (int i = 0; i < axes.Length; i++)
        {
            if (axes[i] < 0)
            {
                continue;
            }
            if (axes[i] <= last || cluster.Space[axes[i]] != operand[kept[i]])
            {
                return null;
            }
            last = axes[i];
            newAxis[axes[i]] = kept[i];
        }
        bool[] reduced = [.. Enumerable.Range(0, operand.Rank).Select(op.Dimensions.Contains)];
        return new ReductionAlignment(true, operand, reduced, newAxis);
    }
}
