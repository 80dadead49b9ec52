namespace Graphene.Optimizer;

/// <summary>The loops of a reduction fusion.</summary>
/// <param name="Space">The extents of all loops, outermost first: the shape of what is reduced.</param>
/// <param name="Reduced">The loops that the reductions run over; the others are the rows.</param>
public sealed record ReductionSpace(Shape Space, Axes Reduced)
{
    /// <summary>The loops that remain: one row for each of their values.</summary>
    public Axes Kept => Reduced.Complement(Space.Rank);

    /// <summary>Finds the loops of a fusion's body.</summary>
    /// <exception cref="ArgumentException">The body contains no reduction.</exception>
    public static ReductionSpace Of(Computation body)
    {
        foreach (Node node in body.PostOrder())
        {
            if (node.Op is ReduceOp reduce)
            {
                return new ReductionSpace(node.Operands[0].Shape, Axes.From(reduce.Dimensions.Order()));
            }
        }
        throw new ArgumentException($"{body} contains no reduction", nameof(body));
    }

    /// <summary>True when a result has one element per element of the space; false when it has one per row.</summary>
    public bool IsFull(Shape result) => result.Where(d => d != 1).SequenceEqual(Space.Where(d => d != 1));
}
