namespace Graphene.Codegen;

/// <summary>A dot or convolution seen as matrix products C[row, column] = sum over k of A[row, k] * B[k, column], batched.</summary>
/// <param name="Fusion">The fusion that the products and their epilogue are taken from.</param>
/// <param name="Accumulation">The type that sums are kept in.</param>
/// <param name="Result">The type that they are rounded to.</param>
/// <param name="Lhs">A, in terms of the counters.</param>
/// <param name="Rhs">B, in terms of the counters.</param>
/// <param name="Batch">Counters of separate products, slowest first.</param>
/// <param name="Rows">Counters that A and the results have in common. They need not be consecutive in A.</param>
/// <param name="Columns">Counters that B and the results have in common.</param>
/// <param name="Depth">The counters of the sum, in the order in which it runs.</param>
internal sealed record MatrixProduct(
    HeroFusion Fusion,
    DType Accumulation,
    DType Result,
    (LoadExpr Load, AffineIndex Index) Lhs,
    (LoadExpr Load, AffineIndex Index) Rhs,
    IReadOnlyList<IndexVariable> Batch,
    IReadOnlyList<IndexVariable> Rows,
    IReadOnlyList<IndexVariable> Columns,
    IReadOnlyList<IndexVariable> Depth)
{
    /// <summary>
    /// When columns are one of several groups of the results' last dimension: the number of the group (one of the batch counters)
    /// and that dimension's own counter, which is group * size of a group + column.
    /// </summary>
    public (IndexVariable Group, IndexVariable Feature)? Grouped { get; init; }

    /// <summary>Dimensions of a convolution's window that reach into a border of zeros.</summary>
    public IReadOnlyList<BorderTaps> Borders { get; init; } = [];
}
