namespace Graphene.Train;

/// <summary>A table of vectors, looked up by number: [..] integers become [.., outputDim].</summary>
/// <param name="inputDim">The number of vectors.</param>
/// <param name="outputDim">The size of each.</param>
/// <param name="embeddingsInitializer">Makes the table; uniform in -0.05..0.05 when null.</param>
/// <param name="type">The element type of the table.</param>
/// <param name="name">The layer's name.</param>
public sealed class Embedding(
    long inputDim,
    long outputDim,
    Initializer? embeddingsInitializer = null,
    DType type = DType.F32,
    string? name = null) : UnaryLayer(name)
{
    /// <summary>The table, [inputDim, outputDim]; null before the first call.</summary>
    public Variable? Table { get; private set; }

    /// <inheritdoc/>
    protected override void Build(LayerContext context, Tensor input)
    {
        Require(input.DType.IsInteger(), input, "integers");
        Table = AddWeight(
            context, "embeddings", new TensorType(type, [inputDim, outputDim]),
            embeddingsInitializer ?? Initializers.RandomUniform());
    }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input) => Table!.Read().Gather(input);
}
