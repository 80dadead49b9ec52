namespace Graphene.Train;

/// <summary>The area under the receiver operating characteristic: how likely a positive example scores above a negative one.</summary>
/// <remarks>Probabilities are counted in equal bins, as in Keras, and the curve between its points is a line.</remarks>
/// <param name="bins">The number of bins.</param>
/// <param name="fromLogits">True when predictions are scores, whose sigmoid are the probabilities.</param>
/// <param name="name">The name under which it is reported.</param>
public sealed class AUC(int bins = 200, bool fromLogits = false, string name = "auc") : Metric(name)
{
    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Sums(Tensor target, Tensor prediction)
    {
        Tensor p = (fromLogits ? prediction.Sigmoid() : prediction).Reshape([prediction.Shape.ElementCount]);
        Tensor positive = target.Cast(DType.F32).Reshape([prediction.Shape.ElementCount]);
        Tensor bin = (p * bins).ClipByValue(0, bins - 1).Floor().Cast(DType.I64);
        Tensor counts = bin.OneHot(bins, DType.F32);
        Tensor positives = counts * positive.ExpandDims(1);
        return [positives.ReduceSum(0), (counts - positives).ReduceSum(0)];
    }

    /// <inheritdoc/>
    public override double Result(IReadOnlyList<double[]> sums)
    {
        double area = 0;
        double above = 0; // positives in higher bins
        for (int bin = bins - 1; bin >= 0; bin--)
        {
            area += sums[1][bin] * (above + (sums[0][bin] / 2));
            above += sums[0][bin];
        }
        return area / (above * sums[1].Sum());
    }
}
