namespace Graphene.Codegen;

/// <summary>
/// Lowers a convolution whose features are the fastest dimension as matrix products: rows are output positions, columns are output
/// features, k runs over kernel positions and then input features. The input is read where it lies.
/// </summary>
/// <remarks>
/// Neither im2col nor a copy: the row of position p begins at p * stride in the input, and each k adds the same offset to every
/// row. That needs an input without padding, so the optimizer pads in front (<c>ConvolutionPadding</c>). Groups are separate
/// products. The order of k is that of the op's definition.
/// </remarks>
internal static class ChannelsLastConvolutionLowering
{
    /// <summary>Lowers a convolution fusion, or returns null when it needs another schedule.</summary>
    public static IReadOnlyList<LoweredKernel>? TryLower(string name, Node fusion, HeroFusion hero, KernelTarget target)
    {
        var op = (ConvolutionOp)hero.Hero.Op;
        ConvolutionDimensions d = op.Dimensions;
        if (d.ResultFeature != hero.Hero.Rank - 1 || op.BatchGroups != 1 || !op.Window.All(ReadsInsideOnly))
        {
            return null;
        }
        ExprFactory f = hero.Source.Factory;
        TensorType kernel = hero.Hero.Operands[1].Type;
        Dim inputs = kernel.Shape[d.RhsInputFeature];
        Dim outputs = Dim.FloorDiv(kernel.Shape[d.RhsOutputFeature], op.FeatureGroups);
        IndexVariable feature = hero.At[^1];
        IndexVariable? group = op.FeatureGroups == 1 ? null : f.Variable("group", op.FeatureGroups);
        IndexVariable column = group is null ? feature : f.Variable("column", outputs);
        IndexVariable[] positions = [.. d.RhsSpatial.Select((axis, i) => f.Variable($"k{i}", kernel.Shape[axis]))];
        IndexVariable input = f.Variable("c", inputs);

        ScalarExpr OfGroup(ScalarExpr member, Dim size) =>
            group is null ? member : f.Add(f.Multiply(group, f.Index(size)), member);

        ScalarExpr Source(int i)
        {
            WindowDim w = op.Window[i];
            return f.Subtract(
                f.Add(f.Multiply(hero.At[d.ResultSpatial[i]], f.Index(w.Stride)), f.Multiply(positions[i], f.Index(w.Dilation))),
                f.Index(w.Low));
        }

        IndexVector lhsAt = At(d.SpatialRank + 2, d.LhsBatch, hero.At[d.ResultBatch], d.LhsFeature, OfGroup(input, inputs), d.LhsSpatial, Source);
        IndexVector rhsAt = At(
            d.SpatialRank + 2, d.RhsInputFeature, input, d.RhsOutputFeature, OfGroup(column, outputs), d.RhsSpatial, i => positions[i]);
        if (hero.OperandAccess(0, lhsAt) is not { } lhs || hero.OperandAccess(1, rhsAt) is not { } rhs)
        {
            return null;
        }
        var product = new MatrixProduct(
            hero, op.AccumulationType, op.ResultType, lhs, rhs, group is null ? [] : [group], hero.At[..^1], [column],
            [.. positions, input])
        {
            Grouped = group is null ? null : (group, feature),
        };
        return MatrixProductLowering.Lower(name, fusion, product, target);
    }

    // Padding would be outside of the input; cutting off (negative padding) stays inside.
    private static bool ReadsInsideOnly(WindowDim w) =>
        w.BaseDilation == 1 && !w.Reversed && w.Low.Range.Max <= 0 && w.High.Range.Max <= 0;

    private static IndexVector At(
        int rank, int firstAxis, ScalarExpr first, int secondAxis, ScalarExpr second, Axes spatial, Func<int, ScalarExpr> position) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(
            axis => axis == firstAxis ? first : axis == secondAxis ? second : position(spatial.IndexOf(axis))));
}
