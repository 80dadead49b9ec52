namespace Graphene.Train;

/// <summary>
/// Attention with several heads (Vaswani et al., 2017). Inputs: query [batch, queries, features], value [batch, keys, features] and
/// optionally key like value; with one input it attends to itself.
/// </summary>
/// <param name="numHeads">The number of heads.</param>
/// <param name="keyDim">The size of a head for queries and keys.</param>
/// <param name="valueDim">The size of a head for values; as for keys when null.</param>
/// <param name="useBias">Whether the projections have biases.</param>
/// <param name="causal">True when a query sees only keys at its own place and before.</param>
/// <param name="outputDim">The size of the result's last dimension; that of the query when null.</param>
/// <param name="kernelInitializer">Makes the kernels of the projections; Glorot's uniform when null.</param>
/// <param name="name">The layer's name.</param>
public sealed class MultiHeadAttention(
    long numHeads,
    long keyDim,
    long? valueDim = null,
    bool useBias = true,
    bool causal = false,
    long? outputDim = null,
    Initializer? kernelInitializer = null,
    string? name = null) : Layer(name)
{
    private readonly long _numHeads = numHeads;
    private readonly long _keyDim = keyDim;
    private readonly long _valueDim = valueDim ?? keyDim;
    private Projection? _query;
    private Projection? _key;
    private Projection? _value;
    private Projection? _output;

    /// <inheritdoc/>
    protected override void Build(LayerContext context, IReadOnlyList<Tensor> inputs)
    {
        (Tensor query, Tensor key, Tensor value) = Roles(inputs);
        foreach (Tensor input in new[] { query, key, value })
        {
            Require(input.Rank == 3, input, "sequences [batch, steps, features]");
        }
        _query = Project(context, "query", query, StaticSize(query, 2), _numHeads * _keyDim);
        _key = Project(context, "key", key, StaticSize(key, 2), _numHeads * _keyDim);
        _value = Project(context, "value", value, StaticSize(value, 2), _numHeads * _valueDim);
        _output = Project(
            context, "attention_output", query, _numHeads * _valueDim, outputDim ?? StaticSize(query, 2));
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs)
    {
        (Tensor query, Tensor key, Tensor value) = Roles(inputs);
        Tensor heads = Heads(_query!.Of(query), _keyDim).Attention(
            Heads(_key!.Of(key), _keyDim), Heads(_value!.Of(value), _valueDim),
            options: new AttentionOptions { Causal = causal });
        Tensor joined = heads.Transpose([0, 2, 1, 3]).Reshape([query.Shape[0], query.Shape[1], _numHeads * _valueDim]);
        return _output!.Of(joined);
    }

    private (Tensor Query, Tensor Key, Tensor Value) Roles(IReadOnlyList<Tensor> inputs) => inputs.Count switch
    {
        1 => (inputs[0], inputs[0], inputs[0]),
        2 => (inputs[0], inputs[1], inputs[1]),
        3 => (inputs[0], inputs[2], inputs[1]),
        _ => throw new GraphException(
            TrainDiagnostics.BadLayerInput, $"layer '{Name}' takes query, value and key, not {inputs.Count} inputs",
            fix: "pass the query alone, query and value, or query, value and key"),
    };

    // [batch, steps, heads * size] to [batch, heads, steps, size]
    private Tensor Heads(Tensor x, long size) =>
        x.Reshape([x.Shape[0], x.Shape[1], _numHeads, size]).Transpose([0, 2, 1, 3]);

    private Projection Project(LayerContext context, string part, Tensor like, long inputs, long outputs) => new(
        AddWeight(
            context, $"{part}/kernel", new TensorType(like.DType, [inputs, outputs]),
            kernelInitializer ?? Initializers.GlorotUniform),
        useBias ? AddWeight(context, $"{part}/bias", new TensorType(like.DType, [outputs]), Initializers.Zeros) : null);

    private sealed record Projection(Variable Kernel, Variable? Bias)
    {
        public Tensor Of(Tensor x)
        {
            Tensor product = x.MatMul(Kernel.Read());
            return Bias is null ? product : product + Bias.Read();
        }
    }
}
