using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Convolutions of all forms as Conv, which has features first: what lies otherwise is transposed.</summary>
internal static class Convolutions
{
    public static IEnumerable<ExportRow> Rows => [new("convolution", Export)];

    private static void Export(ExportSite site)
    {
        var op = (ConvolutionOp)site.Node.Op;
        ConvolutionDimensions d = op.Dimensions;
        DType work = WorkType(op);
        Axes inputOrder = Axes.From([d.LhsBatch, d.LhsFeature, .. d.LhsSpatial]);
        Axes kernelOrder = Axes.From([d.RhsOutputFeature, d.RhsInputFeature, .. d.RhsSpatial]);
        (StoredValue lhs, StoredValue rhs) = (site.Operands[0], site.Operands[1]);
        string x = Products.Cast(site, site.Place.Plain(lhs, inputOrder), lhs.Type.DType, work);
        string kernel = Products.Cast(site, site.Place.Plain(rhs, kernelOrder), rhs.Type.DType, work);
        kernel = Movement.Reverse(
            site, kernel, [.. Enumerable.Range(0, d.SpatialRank).Where(i => op.Window[i].Reversed).Select(i => i + 2)]);
        WindowDim[] window = [.. op.Window];
        x = SlidingWindow.Prepare(
            site, x, lhs.Type.Shape.Permute(inputOrder), site.Graph.Number(work, 0), window, padsLess: false);
        string y = site.Graph.Add("Conv", [x, kernel], [.. SlidingWindow.Attributes(window), Int("group", op.FeatureGroups)]);
        site.Result(
            Products.Cast(site, y, work, op.ResultType), Axes.From([d.ResultBatch, d.ResultFeature, .. d.ResultSpatial]));
    }

    // A later operator set has bf16 in Conv; sums in f32 that are rounded at the end are what is meant anyway.
    private static DType WorkType(ConvolutionOp op) => op switch
    {
        { BatchGroups: not 1 } => throw new NoOnnxFormException("ONNX has no groups of batches"),
        { Dimensions.SpatialRank: 0 } => throw new NoOnnxFormException("ONNX convolves over one dimension at least"),
        { ResultType: DType.F16 or DType.F32 or DType.F64 } => op.ResultType,
        { ResultType: DType.BF16 } => DType.F32,
        _ => throw new NoOnnxFormException($"ONNX convolves floating types only, not {op.ResultType.Name()}"),
    };
}
