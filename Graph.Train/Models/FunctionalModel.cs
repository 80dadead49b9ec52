namespace Graphene.Train;

/// <summary>A model of any topology: what lies between its inputs and its output.</summary>
public sealed class FunctionalModel : Model
{
    private readonly LayerOutput[] _inputs;
    private readonly LayerOutput _output;
    private readonly List<LayerOutput> _order = [];

    /// <summary>Creates a model.</summary>
    /// <param name="inputs">Its inputs, made by <see cref="LayerOutput.Input"/>.</param>
    /// <param name="output">Its output.</param>
    /// <param name="name">Its name.</param>
    /// <exception cref="GraphException">GR7001: the output depends on an input that is not listed.</exception>
    public FunctionalModel(LayerOutput[] inputs, LayerOutput output, string? name = null)
        : base(name)
    {
        _inputs = inputs;
        _output = output;
        Collect(output, []);
        ExampleTypes = [.. inputs.Select(i => i.Type ?? throw new ArgumentException("an input was made by a layer", nameof(inputs)))];
    }

    /// <summary>Creates a model with one input.</summary>
    public FunctionalModel(LayerOutput input, LayerOutput output, string? name = null)
        : this([input], output, name)
    {
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Layer> Sublayers => [.. _order.Select(o => o.Layer!).Distinct()];

    /// <inheritdoc/>
    protected override IReadOnlyList<TensorType> ExampleTypes { get; }

    /// <inheritdoc/>
    protected override string DefaultName => "functional";

    /// <inheritdoc/>
    protected override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs)
    {
        var values = new Dictionary<LayerOutput, Tensor>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < _inputs.Length; i++)
        {
            values.Add(_inputs[i], inputs[i]);
        }
        foreach (LayerOutput value in _order)
        {
            values.Add(value, value.Layer!.Call(context, [.. value.Inputs.Select(i => values[i])]));
        }
        return values[_output];
    }

    // Operands before users.
    private void Collect(LayerOutput value, HashSet<LayerOutput> seen)
    {
        if (!seen.Add(value))
        {
            return;
        }
        if (value.Layer is null)
        {
            if (!_inputs.Contains(value))
            {
                throw new GraphException(
                    TrainDiagnostics.BadLayerInput, $"model '{Name}' depends on the input '{value.Name}', which is not among its inputs",
                    fix: "list all inputs that lead to the output");
            }
            return;
        }
        foreach (LayerOutput input in value.Inputs)
        {
            Collect(input, seen);
        }
        _order.Add(value);
    }
}
