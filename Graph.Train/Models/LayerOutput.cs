namespace Graphene.Train;

/// <summary>A value of a functional model: what a layer will give when it is applied to other values.</summary>
/// <remarks>It describes; nothing is built before the model is called in a graph.</remarks>
public sealed class LayerOutput
{
    internal LayerOutput(Layer layer, IReadOnlyList<LayerOutput> inputs)
    {
        Layer = layer;
        Inputs = inputs;
    }

    private LayerOutput(TensorType type, string name)
    {
        Type = type;
        Name = name;
        Inputs = [];
    }

    /// <summary>The layer; null for an input of the model.</summary>
    public Layer? Layer { get; }

    /// <summary>What the layer is applied to.</summary>
    public IReadOnlyList<LayerOutput> Inputs { get; }

    /// <summary>The type without the batch of an input of the model; null for others.</summary>
    internal TensorType? Type { get; }

    /// <summary>The name of an input of the model; null for others.</summary>
    internal string? Name { get; }

    /// <summary>An input of a functional model.</summary>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="type">The element type.</param>
    /// <param name="name">Its name.</param>
    public static LayerOutput Input(Shape shape, DType type = DType.F32, string name = "input") =>
        new(new TensorType(type, shape), name);
}
