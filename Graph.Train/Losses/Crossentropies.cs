namespace Graphene.Train;

/// <summary>Crossentropy between classes, given by their numbers, and scores or probabilities.</summary>
/// <param name="fromLogits">True when predictions are scores, whose softmax are the probabilities.</param>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class SparseCategoricalCrossentropy(bool fromLogits = false, LossReduction reduction = LossReduction.Mean)
    : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "sparse_categorical_crossentropy";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        Tensor classes = Classes(target, prediction);
        Tensor chosen = classes.OneHot(prediction.Shape[^1], prediction.DType);
        Tensor logs = fromLogits ? LogProbabilities.OfLogits(prediction) : LogProbabilities.Of(prediction);
        return (chosen * logs).ReduceSum(-1).Neg();
    }

    // [batch.., 1] counts as [batch..].
    private Tensor Classes(Tensor target, Tensor prediction)
    {
        Tensor classes = target.Rank == prediction.Rank && target.Rank > 0 && target.Shape[^1] == 1
            ? target.Squeeze([target.Rank - 1])
            : target;
        return classes.DType.IsInteger() && classes.Rank == prediction.Rank - 1 &&
            !classes.Shape.Zip(prediction.Shape).Any(pair => pair.First.ProvablyDiffers(pair.Second))
            ? classes
            : throw Mismatch(target, prediction, "integers [batch..] and predictions [batch.., classes]");
    }
}

/// <summary>Crossentropy between probabilities of classes and scores or probabilities.</summary>
/// <param name="fromLogits">True when predictions are scores, whose softmax are the probabilities.</param>
/// <param name="labelSmoothing">How much of each target is spread evenly over all classes.</param>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class CategoricalCrossentropy(
    bool fromLogits = false, double labelSmoothing = 0, LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "categorical_crossentropy";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        Tensor probabilities = Alike(target, prediction);
        if (labelSmoothing > 0)
        {
            Tensor share = prediction.Graph.Size(prediction.Shape[^1]).Cast(prediction.DType).Reciprocal() * labelSmoothing;
            probabilities = (probabilities * (1 - labelSmoothing)) + share;
        }
        Tensor logs = fromLogits ? LogProbabilities.OfLogits(prediction) : LogProbabilities.Of(prediction);
        return (probabilities * logs).ReduceSum(-1).Neg();
    }
}

/// <summary>Crossentropy of yes-or-no questions: the mean over the last dimension.</summary>
/// <param name="fromLogits">True when predictions are scores, whose sigmoid are the probabilities.</param>
/// <param name="labelSmoothing">How much targets move towards 1/2.</param>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class BinaryCrossentropy(
    bool fromLogits = false, double labelSmoothing = 0, LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "binary_crossentropy";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        Tensor yes = Alike(target, prediction);
        yes = labelSmoothing > 0 ? (yes * (1 - labelSmoothing)) + (0.5 * labelSmoothing) : yes;
        if (fromLogits)
        {
            // -y log s(x) - (1 - y) log s(-x) = softplus(x) - x y, without overflow.
            return (prediction.Softplus() - (prediction * yes)).ReduceMean(-1);
        }
        Tensor p = prediction.ClipByValue(LogProbabilities.Epsilon, 1 - LogProbabilities.Epsilon);
        Tensor logs = (yes * p.Log()) + ((1 - yes) * (1 - p).Log());
        return logs.ReduceMean(-1).Neg();
    }
}

/// <summary>Kullback and Leibler's divergence of predicted from true probabilities: the sum of <c>t log(t / p)</c>.</summary>
/// <param name="reduction">How the losses of examples become one number.</param>
public sealed class KLDivergence(LossReduction reduction = LossReduction.Mean) : Loss(reduction)
{
    /// <inheritdoc/>
    public override string Name => "kl_divergence";

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction)
    {
        Tensor truth = Alike(target, prediction).ClipByValue(LogProbabilities.Epsilon, 1);
        Tensor guess = prediction.ClipByValue(LogProbabilities.Epsilon, 1);
        return (truth * (truth / guess).Log()).ReduceSum(-1);
    }
}

/// <summary>Logarithms of probabilities, for losses.</summary>
internal static class LogProbabilities
{
    /// <summary>The least probability: Keras's epsilon.</summary>
    public const double Epsilon = 1e-7;

    /// <summary>Of scores: <c>x - log(sum(exp(x)))</c>, shifted by the maximum, which cancels and so counts as a constant.</summary>
    public static Tensor OfLogits(Tensor logits)
    {
        Tensor shifted = logits - logits.StopGradient().ReduceMax(-1, keepDims: true);
        return shifted - shifted.Exp().ReduceSum(-1, keepDims: true).Log();
    }

    /// <summary>Of probabilities that may not quite sum to 1.</summary>
    public static Tensor Of(Tensor probabilities)
    {
        Tensor normal = probabilities / probabilities.ReduceSum(-1, keepDims: true);
        return normal.ClipByValue(Epsilon, 1 - Epsilon).Log();
    }
}
