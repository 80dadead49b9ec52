namespace Graphene.Train;

/// <summary>In training, sets elements to 0 at random and scales the others so that the expectation stays; else nothing.</summary>
/// <remarks>
/// The state of the random numbers is a variable of the graph, so a training that is resumed drops what
/// it would have dropped.
/// </remarks>
/// <param name="rate">The share of elements that are dropped, from 0 up to but not including 1.</param>
/// <param name="name">The layer's name.</param>
public sealed class Dropout(double rate, string? name = null) : UnaryLayer(name)
{
    private readonly double _rate = rate is >= 0 and < 1
        ? rate
        : throw new ArgumentOutOfRangeException(nameof(rate), rate, "the rate is at least 0 and less than 1");

    private Variable? _state;

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        Require(input.DType.IsFloating(), input, "floating numbers");
        _state = AddRandomState(context);
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        if (!context.Training || _rate == 0)
        {
            return input;
        }
        (Tensor next, Tensor uniform) = context.Graph.RandomUniform(_state!.Read(), input.Shape);
        context.AddUpdate(_state.Assign(next));
        Tensor kept = input * (1 / (1 - _rate));
        return uniform.GreaterEqual(_rate).Where(kept, context.Graph.Zeros(input.DType, Shape.Scalar));
    }
}
