using Graphene.Train;

namespace Graphene.Samples.CharGpt;

/// <summary>Attention of each place to itself and those before it.</summary>
/// <remarks>
/// While text is written, keys and values of the places before are kept in variables, so a character costs one row of each product:
/// <see cref="Decode"/>.
/// </remarks>
internal sealed class CausalSelfAttention(GptSettings settings) : UnaryLayer("attention")
{
    private readonly int _headSize = settings.Width / settings.Heads;
    private readonly Dense _input = Linear(3L * settings.Width, 0.02, "input");
    private readonly Dense _output = Linear(settings.Width, 0.02 / Math.Sqrt(2 * settings.Layers), "output");
    private Variable? _keys;
    private Variable? _values;

    public override IReadOnlyList<Layer> Sublayers => [_input, _output];

    /// <summary>A layer without bias, whose kernel has a given deviation.</summary>
    public static Dense Linear(long units, double deviation, string name, Func<Tensor, Tensor>? activation = null) => new(
        units, activation, useBias: false, kernelInitializer: Initializers.RandomNormal(0, deviation), name: name);

    /// <summary>The result for one more place.</summary>
    /// <param name="context">Receives the assignments that keep its key and value.</param>
    /// <param name="x">The place's vector, [1, 1, width].</param>
    /// <param name="position">Its number, an i64 scalar.</param>
    public Tensor Decode(LayerContext context, Tensor x, Tensor position)
    {
        Graph graph = context.Graph;
        _keys ??= Cache(graph, "keys");
        _values ??= Cache(graph, "values");
        Tensor[] parts = Parts(_input.Call(context, x));
        Tensor places = graph.Range(DType.I64, settings.Context).Reshape([1, 1, settings.Context, 1]);
        Tensor here = places.Equal(position);
        Tensor keys = here.Where(parts[1], _keys.Read());
        Tensor values = here.Where(parts[2], _values.Read());
        context.AddUpdate(_keys.Assign(keys));
        context.AddUpdate(_values.Assign(values));
        Tensor seen = places.Reshape([1, 1, 1, settings.Context]).LessEqual(position);
        return _output.Call(context, Joined(parts[0].Attention(keys, values, seen)));
    }

    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor[] parts = Parts(_input.Call(context, input));
        return _output.Call(context, Joined(parts[0].Attention(parts[1], parts[2], options: new AttentionOptions { Causal = true })));
    }

    private Variable Cache(Graph graph, string name) => graph.Variable(
        Literal.Splat(
            new TensorType(DType.F32, [1, settings.Heads, settings.Context, _headSize]), Scalar.Zero(DType.F32)), name, trainable: false);

    // Queries, keys and values as [batch, heads, places, head size].
    private Tensor[] Parts(Tensor joined) => [.. Enumerable.Range(0, 3).Select(i => joined
        .SliceAxis(2, i * settings.Width, (i + 1) * settings.Width)
        .Reshape([joined.Shape[0], joined.Shape[1], settings.Heads, _headSize])
        .Transpose([0, 2, 1, 3]))];

    private Tensor Joined(Tensor heads) =>
        heads.Transpose([0, 2, 1, 3]).Reshape([heads.Shape[0], heads.Shape[2], settings.Width]);
}
