namespace Graphene.Codegen;

/// <summary>Lowers a dot fusion: free dimensions of the left operand are rows, those of the right operand columns.</summary>
internal static class DotLowering
{
    /// <summary>Lowers a dot fusion, or returns null when its operands or epilogue need another schedule.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node fusion, KernelTarget target, Func<int, bool> isOverwritten)
    {
        if (HeroFusion.TryCreate<DotGeneralOp>(fusion, isOverwritten) is not { } hero)
        {
            return null;
        }
        var op = (DotGeneralOp)hero.Hero.Op;
        return SpaceOf(hero).ToProduct(hero, op.AccumulationType, op.ResultType) is { } product
            ? MatrixProductLowering.Lower(name, fusion, product, target)
            : null;
    }

    /// <summary>The counters of a dot.</summary>
    public static ProductSpace SpaceOf(HeroFusion hero)
    {
        var op = (DotGeneralOp)hero.Hero.Op;
        ExprFactory factory = hero.Source.Factory;
        Node lhsNode = hero.Hero.Operands[0];
        Node rhsNode = hero.Hero.Operands[1];
        IndexVariable[] k = [.. op.LhsContracting.Select((d, i) => factory.Variable($"k{i}", lhsNode.Shape[d]))];
        Axes lhsFree = op.LhsFree(lhsNode.Rank);
        Axes rhsFree = op.RhsFree(rhsNode.Rank);
        int batch = op.LhsBatch.Count;
        int rows = lhsFree.Count;
        return new ProductSpace(
            Index(lhsNode.Rank, op.LhsBatch, op.LhsContracting, lhsFree, hero.At, batch, k),
            Index(rhsNode.Rank, op.RhsBatch, op.RhsContracting, rhsFree, hero.At, batch + rows, k),
            hero.At[..batch], hero.At[batch..(batch + rows)], hero.At[(batch + rows)..], k);
    }

    private static IndexVector Index(
        int rank, Axes batch, Axes contracting, Axes free, IndexVariable[] at, int freeOffset, IndexVariable[] k) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(axis =>
            contracting.IndexOf(axis) is >= 0 and var c ? k[c]
            : batch.IndexOf(axis) is >= 0 and var b ? at[b]
            : at[freeOffset + free.IndexOf(axis)]));
}
