using Graphene.Train;

namespace Graphene.Samples.CharGpt;

/// <summary>Attention, then a network for each place by itself; both read a normalized input and add to it.</summary>
internal sealed class GptBlock(GptSettings settings, int number) : UnaryLayer($"block{number}")
{
    private readonly LayerNormalization _before = new(epsilon: 1e-5, center: false, name: "norm1");
    private readonly CausalSelfAttention _attention = new(settings);
    private readonly LayerNormalization _between = new(epsilon: 1e-5, center: false, name: "norm2");
    private readonly Dense _wide = CausalSelfAttention.Linear(4L * settings.Width, 0.02, "wide", Activations.Gelu);
    private readonly Dense _narrow =
        CausalSelfAttention.Linear(settings.Width, 0.02 / Math.Sqrt(2 * settings.Layers), "narrow");

    public override IReadOnlyList<Layer> Sublayers => [_before, _attention, _between, _wide, _narrow];

    /// <summary>The result for one more place; see <see cref="CausalSelfAttention.Decode"/>.</summary>
    public Tensor Decode(LayerContext context, Tensor x, Tensor position)
    {
        Tensor seen = x + _attention.Decode(context, _before.Call(context, x), position);
        return seen + _narrow.Call(context, _wide.Call(context, _between.Call(context, seen)));
    }

    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor seen = input + _attention.Call(context, _before.Call(context, input));
        return seen + _narrow.Call(context, _wide.Call(context, _between.Call(context, seen)));
    }
}
