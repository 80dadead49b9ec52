namespace Graphene.Train;

/// <summary>All dimensions but the batch joined into one.</summary>
/// <param name="name">The layer's name.</param>
public sealed class Flatten(string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Require(input.Rank >= 1, input, "a tensor with a batch dimension");
        Dim count = 1;
        foreach (Dim dim in input.Shape.Skip(1))
        {
            count *= dim;
        }
        return input.Reshape([input.Shape[0], count]);
    }
}

/// <summary>The elements of each example under another shape.</summary>
/// <param name="targetShape">The shape without the batch.</param>
/// <param name="name">The layer's name.</param>
public sealed class Reshape(Shape targetShape, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input) =>
        input.Reshape([input.Shape[0], .. targetShape]);
}

/// <summary>A function of one tensor as a layer.</summary>
/// <param name="function">The function.</param>
/// <param name="name">The layer's name.</param>
public sealed class Activation(Func<Tensor, Tensor> function, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input) => function(input);
}

/// <summary>Any function of tensors as a layer; it has no weights.</summary>
/// <param name="function">The function.</param>
/// <param name="name">The layer's name.</param>
public sealed class Lambda(Func<IReadOnlyList<Tensor>, Tensor> function, string? name = null) : Layer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs) => function(inputs);
}

/// <summary>Numbers converted to f32, scaled and shifted: pixels of bytes to 0..1, for example.</summary>
/// <param name="scale">The factor.</param>
/// <param name="offset">What is added afterwards.</param>
/// <param name="name">The layer's name.</param>
public sealed class Rescaling(double scale, double offset = 0, string? name = null) : UnaryLayer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, Tensor input)
    {
        Tensor scaled = (input.DType.IsFloating() ? input : input.Cast(DType.F32)) * scale;
        return offset == 0 ? scaled : scaled + offset;
    }
}

/// <summary>The sum of its inputs.</summary>
/// <param name="name">The layer's name.</param>
public sealed class Add(string? name = null) : Layer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs) =>
        inputs.Skip(1).Aggregate(inputs[0], (sum, x) => sum + x);
}

/// <summary>The product of its inputs, element by element.</summary>
/// <param name="name">The layer's name.</param>
public sealed class Multiply(string? name = null) : Layer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs) =>
        inputs.Skip(1).Aggregate(inputs[0], (product, x) => product * x);
}

/// <summary>Its inputs joined along an axis.</summary>
/// <param name="axis">The axis; negative from the end.</param>
/// <param name="name">The layer's name.</param>
public sealed class Concatenate(int axis = -1, string? name = null) : Layer(name)
{
    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs) =>
        context.Graph.Concat([.. inputs], axis);
}
