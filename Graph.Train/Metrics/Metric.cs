namespace Graphene.Train;

/// <summary>A number that says how good predictions are, over any number of batches.</summary>
/// <remarks>
/// The graph computes a few sums of each batch; they are added up in f64 outside, in the order of the batches, and the result
/// follows from the sums. So a metric over batches is the metric over all their examples.
/// </remarks>
/// <param name="name">The name under which it is reported.</param>
public abstract class Metric(string name)
{
    /// <summary>The name under which it is reported.</summary>
    public string Name { get; } = name;

    /// <summary>The number of tensors that <see cref="Sums"/> gives.</summary>
    public virtual int SumCount => 2;

    /// <summary>The sums of one batch: f32 scalars or vectors.</summary>
    public abstract IReadOnlyList<Tensor> Sums(Tensor target, Tensor prediction);

    /// <summary>The result, from the sums over all batches.</summary>
    /// <param name="sums">One vector for each tensor that <see cref="Sums"/> gives.</param>
    public abstract double Result(IReadOnlyList<double[]> sums);
}

/// <summary>The mean of one number for each example.</summary>
/// <param name="name">The name under which it is reported.</param>
public abstract class MeanMetric(string name) : Metric(name)
{
    /// <summary>The number of each example, of any shape; a bool counts as 0 or 1.</summary>
    public abstract Tensor PerExample(Tensor target, Tensor prediction);

    /// <inheritdoc/>
    public sealed override IReadOnlyList<Tensor> Sums(Tensor target, Tensor prediction)
    {
        Tensor values = PerExample(target, prediction);
        Tensor count = values.Graph.Size(values.Shape.ElementCount).Cast(DType.F32);
        return [values.Cast(DType.F32).ReduceSum(), count];
    }

    /// <inheritdoc/>
    public sealed override double Result(IReadOnlyList<double[]> sums) => sums[0][0] / sums[1][0];
}

/// <summary>The mean of a loss or of any other number for each example.</summary>
/// <param name="name">The name under which it is reported.</param>
/// <param name="perExample">The number of each example, from targets and predictions.</param>
public sealed class Mean(string name, Func<Tensor, Tensor, Tensor> perExample) : MeanMetric(name)
{
    /// <summary>The mean of a loss, under its name.</summary>
    public static Mean Of(Loss loss) => new(loss.Name, loss.PerExample);

    /// <inheritdoc/>
    public override Tensor PerExample(Tensor target, Tensor prediction) => perExample(target, prediction);
}
