namespace Graphene.Optimizer;

/// <summary>The parts of the decomposition of a composite that gives the first few elements of sorted lines.</summary>
/// <remarks>
/// <code>
/// result i = slice(sort(x0, x1, ..) i, 0..k along the sort's dimension)
/// </code>
/// The sort's order is that of one of its operands, k is a number, at least 1, and every operand is a parameter or an iota.
/// </remarks>
/// <param name="Sort">The sort.</param>
/// <param name="Order">Its order.</param>
/// <param name="Count">k.</param>
public sealed record SelectionForm(Node Sort, SortOrder Order, int Count)
{
    /// <summary>The kind of the composite.</summary>
    public const string Kind = "select_first";

    /// <summary>What is kept in order while elements are looked through, and so moved for each of them at worst.</summary>
    public const int MostElements = 1024;

    /// <summary>The dimension along which lines are sorted.</summary>
    public int Dimension => ((SortOp)Sort.Op).Dimension;

    /// <summary>Finds the parts; null when the computation has not this form.</summary>
    public static SelectionForm? TryParse(Computation decomposition)
    {
        Node first = decomposition.Results[0];
        return first.Op is SliceOp slice && SortOf(first.Operands[0]) is { } sort && CountOf(slice, sort) is { } count &&
            SortOrder.TryOf(((SortOp)sort.Op).Comparator) is { } order &&
            sort.Operands.All(o => o.Op is ParameterOp or IotaOp) && decomposition.Results.Length == sort.Operands.Length &&
            decomposition.Results.All(r => r.Op.Equals(slice) && ReferenceEquals(SortOf(r.Operands[0]), sort))
            ? new SelectionForm(sort, order, count)
            : null;
    }

    /// <summary>The sort that a node is a result of.</summary>
    public static Node? SortOf(Node node) => node switch
    {
        { Op: SortOp } => node,
        { Op: GetTupleElementOp, Operands: [{ Op: SortOp } sort] } => sort,
        _ => null,
    };

    /// <summary>How many elements of each sorted line a slice takes, from the first one on; null when it is another part.</summary>
    public static int? CountOf(SliceOp slice, Node sort)
    {
        Shape shape = sort.Types[0].Shape;
        int along = ((SortOp)sort.Op).Dimension;
        bool takesFirst = slice.Starts.All(s => s == 0) && slice.Strides.All(s => s == 1) &&
            Enumerable.Range(0, shape.Rank).All(axis => axis == along || slice.Limits[axis] == shape[axis]);
        return takesFirst && slice.Limits[along] is { IsStatic: true, Value: > 0 and <= MostElements and var count } ? (int)count : null;
    }
}
