namespace Graphene.Train;

/// <summary>How the losses of examples become one number.</summary>
public enum LossReduction
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,
}

/// <summary>Says how far predictions are from targets.</summary>
/// <param name="reduction">How the losses of examples become one number.</param>
public abstract class Loss(LossReduction reduction = LossReduction.Mean)
{
    /// <summary>How the losses of examples become one number.</summary>
    public LossReduction Reduction { get; } = reduction;

    /// <summary>The name, as in Keras.</summary>
    public abstract string Name { get; }

    /// <summary>The loss of a batch, a scalar.</summary>
    /// <param name="target">What should come out.</param>
    /// <param name="prediction">What comes out.</param>
    /// <param name="weights">The weight of each example, like the losses of examples in shape; null for 1.</param>
    /// <returns>The mean divides by the number of examples, whatever their weights are.</returns>
    /// <exception cref="GraphException">GR7005: target and prediction do not go together.</exception>
    public Tensor Call(Tensor target, Tensor prediction, Tensor? weights = null)
    {
        Tensor losses = PerExample(target, prediction);
        Tensor weighted = weights is null ? losses : losses * weights.Cast(losses.DType);
        return Reduction == LossReduction.Mean ? weighted.ReduceMean() : weighted.ReduceSum();
    }

    /// <summary>The loss of each example; the last dimension is gone.</summary>
    public abstract Tensor PerExample(Tensor target, Tensor prediction);

    /// <summary>The target in the prediction's element type.</summary>
    /// <exception cref="GraphException">GR7005: the shapes differ.</exception>
    protected Tensor Alike(Tensor target, Tensor prediction)
    {
        bool fits = target.Rank == prediction.Rank && prediction.Rank > 0 &&
            !target.Shape.Zip(prediction.Shape).Any(pair => pair.First.ProvablyDiffers(pair.Second));
        return fits ? target.Cast(prediction.DType) : throw Mismatch(target, prediction, "targets of the shape of predictions");
    }

    private protected GraphException Mismatch(Tensor target, Tensor prediction, string needed) => new(
        TrainDiagnostics.BadTarget, $"{Name}: targets are {target.Type}, predictions {prediction.Type}",
        why: $"it takes {needed}", fix: "reshape one of them, or use another loss");
}
