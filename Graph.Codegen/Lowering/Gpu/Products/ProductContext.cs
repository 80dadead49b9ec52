namespace Graphene.Codegen;

/// <summary>What the parts of a product's kernel share while it is written.</summary>
/// <param name="B">Where statements go.</param>
/// <param name="Emitter">Emits the expressions of the fusion.</param>
/// <param name="Thread">The number of the thread.</param>
/// <param name="Product">What is computed.</param>
/// <param name="Tile">In what sizes.</param>
internal sealed record ProductContext(KBuilder B, ExprEmitter Emitter, KExpr Thread, GpuProduct Product, ProductTile Tile)
{
    /// <summary>The thread's number in its warp.</summary>
    public KExpr Lane { get; } = B.Let("lane", KBuilder.Remainder(Thread, KThreads.WarpSize));

    /// <summary>Which of the tile's rows the warp has: a multiple of <see cref="ProductTile.WarpRows"/>.</summary>
    public KExpr WarpRow { get; } = B.Let("warp_row", KBuilder.Multiply(
        KBuilder.Divide(KBuilder.Divide(Thread, KThreads.WarpSize), Tile.WarpsAcross), Tile.WarpRows));

    /// <summary>Which of the tile's columns the warp has: a multiple of <see cref="ProductTile.WarpColumns"/>.</summary>
    public KExpr WarpColumn { get; } = B.Let("warp_column", KBuilder.Multiply(
        KBuilder.Remainder(KBuilder.Divide(Thread, KThreads.WarpSize), Tile.WarpsAcross), Tile.WarpColumns));

    /// <summary>Both conditions; null for one that always holds.</summary>
    public static KExpr? Both(KExpr? a, KExpr? b) => a is null ? b : b is null ? a : KBuilder.Call(ScalarOp.And, a, b);

    /// <summary>Whether a number is below a dim; null when all of a tile's numbers surely are.</summary>
    public KExpr? Below(KExpr number, Dim count, int tile) =>
        ProductOperand.Alignment(count, tile) == tile ? null : B.Let("exists", KBuilder.Less(number, KBuilder.Value(count)));
}
