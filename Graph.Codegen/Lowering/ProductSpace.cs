namespace Graphene.Codegen;

/// <summary>The counters of a dot or convolution seen as matrix products, and where they lead in its operands.</summary>
/// <param name="Lhs">The index of an element of the left operand.</param>
/// <param name="Rhs">The index of an element of the right operand.</param>
/// <param name="Batch">Counters of separate products, slowest first.</param>
/// <param name="Rows">Counters that the left operand and the results have in common.</param>
/// <param name="Columns">Counters that the right operand and the results have in common.</param>
/// <param name="Depth">The counters of the sum, in the order in which it runs.</param>
internal sealed record ProductSpace(
    IndexVector Lhs,
    IndexVector Rhs,
    IReadOnlyList<IndexVariable> Batch,
    IReadOnlyList<IndexVariable> Rows,
    IReadOnlyList<IndexVariable> Columns,
    IReadOnlyList<IndexVariable> Depth)
{
    /// <summary>See <see cref="MatrixProduct.Grouped"/>.</summary>
    public (IndexVariable Group, IndexVariable Feature)? Grouped { get; init; }

    /// <summary>Where the left operand has an element; elsewhere stands 0. Null for everywhere.</summary>
    public ScalarExpr? LhsInside { get; init; }

    /// <summary>The product whose operands are read where they lie; null when one is computed in any other way.</summary>
    public MatrixProduct? ToProduct(HeroFusion hero, DType accumulation, DType result) =>
        hero.OperandAccess(0, Lhs) is { } lhs && hero.OperandAccess(1, Rhs) is { } rhs
            ? new MatrixProduct(hero, accumulation, result, lhs, rhs, Batch, Rows, Columns, Depth) { Grouped = Grouped }
            : null;
}
