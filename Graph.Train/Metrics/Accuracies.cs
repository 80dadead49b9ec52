namespace Graphene.Train;

/// <summary>The share of examples whose largest prediction is at the target's number.</summary>
/// <param name="name">The name under which it is reported.</param>
public sealed class SparseCategoricalAccuracy(string name = "accuracy") : MeanMetric(name)
{
    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) =>
        ClassNumbers.Of(target, prediction).Equal(prediction.ArgMax(-1));
}

/// <summary>The share of examples whose largest prediction is where the largest target is.</summary>
/// <param name="name">The name under which it is reported.</param>
public sealed class CategoricalAccuracy(string name = "accuracy") : MeanMetric(name)
{
    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) => target.ArgMax(-1).Equal(prediction.ArgMax(-1));
}

/// <summary>The share of predictions that are on the target's side of a threshold.</summary>
/// <param name="threshold">Predictions above it count as 1: 0.5 for probabilities, 0 for scores.</param>
/// <param name="name">The name under which it is reported.</param>
public sealed class BinaryAccuracy(double threshold = 0.5, string name = "accuracy") : MeanMetric(name)
{
    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) =>
        prediction.Greater(threshold).Equal(target.Cast(prediction.DType).Greater(0.5));
}

/// <summary>The share of examples where the target's number is among the k largest predictions.</summary>
/// <remarks>Counted without sorting: fewer than k predictions are larger than the one at the target's number.</remarks>
/// <param name="k">How many predictions count.</param>
/// <param name="name">The name under which it is reported.</param>
public sealed class SparseTopKCategoricalAccuracy(int k = 5, string name = "top_k_accuracy") : MeanMetric(name)
{
    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        Tensor chosen = ClassNumbers.Of(target, prediction).OneHot(prediction.Shape[^1], prediction.DType);
        Tensor own = (chosen * prediction).ReduceSum(-1, keepDims: true);
        return prediction.Greater(own).Cast(DType.F32).ReduceSum(-1).Less(k);
    }
}

/// <summary>Numbers of classes as metrics compare them.</summary>
internal static class ClassNumbers
{
    /// <summary>[batch..] of i64; [batch.., 1] counts as that.</summary>
    public static Tensor Of(Tensor target, Tensor prediction)
    {
        Tensor classes = target.Rank == prediction.Rank ? target.Squeeze([target.Rank - 1]) : target;
        return classes.Cast(DType.I64);
    }
}
