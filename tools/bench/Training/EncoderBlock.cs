using Graphene.Train;

namespace Graphene.Bench.Training;

/// <summary>An encoder layer (Vaswani et al., 2017) with GELU: attention, then a network for each place, normalized after each sum.</summary>
/// <param name="width">Features of each place.</param>
/// <param name="heads">Heads of the attention.</param>
/// <param name="inner">Features inside the network.</param>
internal sealed class EncoderBlock(long width, long heads, long inner) : UnaryLayer("encoder")
{
    private readonly MultiHeadAttention _attention = new(heads, width / heads);
    private readonly LayerNormalization _between = new(epsilon: 1e-5);
    private readonly Dense _wide = new(inner, Activations.Gelu);
    private readonly Dense _narrow = new(width);
    private readonly LayerNormalization _after = new(epsilon: 1e-5);

    public override IReadOnlyList<Layer> Sublayers => [_attention, _between, _wide, _narrow, _after];

    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor seen = _between.Call(context, input + _attention.Call(context, input));
        return _after.Call(context, seen + _narrow.Call(context, _wide.Call(context, seen)));
    }
}
