namespace Graphene.Codegen;

/// <summary>
/// A convolution seen as matrix products: rows are output positions, columns are output features, k runs over kernel positions and
/// then input features. Groups are separate products. That is the order of the op's definition, whatever the order of dimensions.
/// </summary>
internal static class ConvolutionSpace
{
    /// <summary>The counters of a convolution; where its window may lie outside of the input, an element of it is guarded.</summary>
    /// <param name="hero">A fusion around a convolution without groups of the batch.</param>
    public static ProductSpace Of(HeroFusion hero)
    {
        var op = (ConvolutionOp)hero.Hero.Op;
        ConvolutionDimensions d = op.Dimensions;
        ExprFactory f = hero.Source.Factory;
        TensorType input = hero.Hero.Operands[0].Type;
        TensorType kernel = hero.Hero.Operands[1].Type;
        Dim inputs = kernel.Shape[d.RhsInputFeature];
        Dim outputs = Dim.FloorDiv(kernel.Shape[d.RhsOutputFeature], op.FeatureGroups);
        IndexVariable feature = hero.At[d.ResultFeature];
        IndexVariable? group = op.FeatureGroups == 1 ? null : f.Variable("group", op.FeatureGroups);
        IndexVariable column = group is null ? feature : f.Variable("column", outputs);
        IndexVariable[] positions = [.. d.RhsSpatial.Select((axis, i) => f.Variable($"k{i}", kernel.Shape[axis]))];
        IndexVariable channel = f.Variable("c", inputs);

        ScalarExpr OfGroup(ScalarExpr member, Dim size) =>
            group is null ? member : f.Add(f.Multiply(group, f.Index(size)), member);

        (ScalarExpr Inside, ScalarExpr Position)[] sources = [.. op.Window.Select((w, i) => ReadsInsideOnly(w)
            ? (f.True, Inner(f, w, hero.HeroAt[d.ResultSpatial[i]], positions[i]))
            : w.Source(f, hero.HeroAt[d.ResultSpatial[i]], positions[i], input.Shape[d.LhsSpatial[i]]))];
        return new ProductSpace(
            At(d.SpatialRank + 2, d.LhsBatch, hero.At[d.ResultBatch], d.LhsFeature, OfGroup(channel, inputs), d.LhsSpatial,
                i => sources[i].Position),
            At(d.SpatialRank + 2, d.RhsInputFeature, channel, d.RhsOutputFeature, OfGroup(column, outputs), d.RhsSpatial,
                i => positions[i]),
            group is null ? [] : [group], [.. hero.At.Where(at => !ReferenceEquals(at, feature))], [column], [.. positions, channel])
        {
            Grouped = group is null ? null : (group, feature),
            LhsInside = sources.Aggregate(f.True, (all, s) => f.And(all, s.Inside)),
        };
    }

    /// <summary>Whether a window never leaves its dimension of the input. Cutting off (negative padding) stays inside.</summary>
    public static bool ReadsInsideOnly(WindowDim w) =>
        w.BaseDilation == 1 && !w.Reversed && w.Low.Range.Max <= 0 && w.High.Range.Max <= 0;

    private static ScalarExpr Inner(ExprFactory f, WindowDim w, ScalarExpr at, ScalarExpr element) => f.Subtract(
        f.Add(f.Multiply(at, f.Index(w.Stride)), f.Multiply(element, f.Index(w.Dilation))), f.Index(w.Low));

    private static IndexVector At(
        int rank, int firstAxis, ScalarExpr first, int secondAxis, ScalarExpr second, Axes spatial, Func<int, ScalarExpr> position) =>
        IndexVector.From(Enumerable.Range(0, rank).Select(
            axis => axis == firstAxis ? first : axis == secondAxis ? second : position(spatial.IndexOf(axis))));
}
