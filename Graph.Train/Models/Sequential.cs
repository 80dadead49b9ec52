namespace Graphene.Train;

/// <summary>A model whose layers follow each other.</summary>
public sealed class Sequential : Model
{
    private readonly Layer[] _layers;

    /// <summary>Creates a model that takes its inputs as the data has them.</summary>
    /// <param name="layers">The layers, in order.</param>
    public Sequential(params Layer[] layers)
        : this(null, layers)
    {
    }

    /// <summary>Creates a model.</summary>
    /// <param name="input">The type of one example; null to take it from the data.</param>
    /// <param name="layers">The layers, in order.</param>
    /// <param name="name">Its name.</param>
    public Sequential(TensorType? input, Layer[] layers, string? name = null)
        : base(name) => (ExampleTypes, _layers) = (input is null ? null : [input], layers);

    /// <inheritdoc/>
    public override IReadOnlyList<Layer> Sublayers => _layers;

    /// <inheritdoc/>
    protected override IReadOnlyList<TensorType>? ExampleTypes { get; }

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs)
    {
        Tensor[] values = [.. inputs]; // the first layer may take several
        foreach (Layer layer in _layers)
        {
            values = [layer.Call(context, values)];
        }
        return values.Length == 1
            ? values[0]
            : throw new GraphException(
                TrainDiagnostics.BadLayerInput, $"model '{Name}' has no layers and {values.Length} inputs", fix: "add a layer");
    }
}
