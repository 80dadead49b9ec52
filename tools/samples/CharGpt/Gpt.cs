using Graphene.Train;

namespace Graphene.Samples.CharGpt;

/// <summary>
/// A transformer that predicts the next character (Radford et al., 2019): [batch, places] of numbers become scores
/// [batch, places, characters]. The table of characters serves at both ends.
/// </summary>
internal sealed class Gpt(GptSettings settings, int characters) : UnaryLayer("gpt")
{
    private readonly Embedding _characters = new(characters, settings.Width, Initializers.RandomNormal(0, 0.02), name: "characters");
    private readonly Embedding _places = new(settings.Context, settings.Width, Initializers.RandomNormal(0, 0.02), name: "places");
    private readonly GptBlock[] _blocks = [.. Enumerable.Range(0, settings.Layers).Select(i => new GptBlock(settings, i))];
    private readonly LayerNormalization _norm = new(epsilon: 1e-5, center: false, name: "norm");

    public override IReadOnlyList<Layer> Sublayers => [_characters, _places, .. _blocks, _norm];

    /// <summary>The scores of the next character after one more, [1, characters].</summary>
    /// <param name="context">Receives the assignments that keep what was seen.</param>
    /// <param name="character">The character's number, [1, 1].</param>
    /// <param name="position">Its place, an i64 scalar.</param>
    public Tensor Decode(LayerContext context, Tensor character, Tensor position)
    {
        Tensor x = _characters.Call(context, character) + _places.Call(context, position.Reshape([1, 1]));
        foreach (GptBlock block in _blocks)
        {
            x = block.Decode(context, x, position);
        }
        return Scores(context, x).Reshape([1, characters]);
    }

    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor places = context.Graph.Range(DType.I64, input.Shape[1]);
        Tensor x = _characters.Call(context, input) + _places.Call(context, places);
        foreach (GptBlock block in _blocks)
        {
            x = block.Call(context, x);
        }
        return Scores(context, x);
    }

    private Tensor Scores(LayerContext context, Tensor x) =>
        _norm.Call(context, x).MatMul(_characters.Table!.Read(), transposeY: true);
}
