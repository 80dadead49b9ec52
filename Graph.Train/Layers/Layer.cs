namespace Graphene.Train;

/// <summary>A function of tensors with weights of its own.</summary>
/// <remarks>
/// The first call makes the weights, from the shapes of the inputs; later calls, in the same graph, read them again. A layer of
/// your own derives from this class, or from <see cref="UnaryLayer"/> when it has one input.
/// </remarks>
public abstract class Layer
{
    private readonly string? _givenName;
    private readonly List<Variable> _weights = [];
    private string? _name;

    /// <summary>Creates a layer without weights yet.</summary>
    /// <param name="name">Its name and the first part of its weights' names; made from the kind of layer when null.</param>
    protected Layer(string? name) => _givenName = name;

    /// <summary>Its name; before the first call the one it was given, or its kind.</summary>
    public string Name => _name ?? _givenName ?? DefaultName;

    /// <summary>False to keep the optimizer from changing its weights; counts for training steps that are built afterwards.</summary>
    public bool Trainable { get; set; } = true;

    /// <summary>The graph that the weights are in; null before the first call.</summary>
    public Graph? Graph { get; private set; }

    /// <summary>All weights, those of inner layers included.</summary>
    public IReadOnlyList<Variable> Weights => [.. _weights, .. Sublayers.SelectMany(l => l.Weights)];

    /// <summary>The weights that an optimizer may change now.</summary>
    public IReadOnlyList<Variable> TrainableWeights => Trainable
        ? [.. _weights.Where(w => w.Trainable), .. Sublayers.SelectMany(l => l.TrainableWeights)]
        : [];

    /// <summary>The layers that this one is made of, in order.</summary>
    public virtual IReadOnlyList<Layer> Sublayers => [];

    /// <summary>The type of what it gave when it was called last; null before.</summary>
    public TensorType? OutputType { get; private set; }

    /// <summary>A name for layers that were given none: the kind in lower case with underscores.</summary>
    protected virtual string DefaultName => SnakeCase(GetType().Name);

    /// <summary>Applies the layer.</summary>
    /// <param name="context">Where and how.</param>
    /// <param name="inputs">The inputs.</param>
    /// <returns>The result.</returns>
    /// <exception cref="GraphException">GR7001: it does not accept the inputs. GR7002: its weights are in another graph.</exception>
    public Tensor Call(LayerContext context, params Tensor[] inputs)
    {
        if (Graph is not null && !ReferenceEquals(Graph, context.Graph))
        {
            throw new GraphException(
                TrainDiagnostics.LayerInOtherGraph,
                $"layer '{Name}' has its weights in graph '{Graph.Name}' and is called in '{context.Graph.Name}'",
                why: "weights are variables of one graph", fix: "make another layer, or build both uses in one graph");
        }
        bool isFirst = Graph is null;
        if (isFirst)
        {
            Graph = context.Graph;
            _name = context.UniqueName(Name);
        }
        using (context.Graph.Scope(Name))
        {
            if (isFirst)
            {
                Build(context, inputs);
            }
            Tensor output = Apply(context, inputs);
            OutputType = output.Type;
            return output;
        }
    }

    /// <summary>The layer at a place of a functional model.</summary>
    /// <param name="inputs">What it is applied to.</param>
    public LayerOutput On(params LayerOutput[] inputs) => new(this, inputs);

    /// <summary>Makes the weights; called once, before the first <see cref="Apply"/>.</summary>
    protected virtual void Build(LayerContext context, IReadOnlyList<Tensor> inputs)
    {
    }

    /// <summary>Builds the result from the inputs.</summary>
    protected abstract Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs);

    /// <summary>Makes a weight.</summary>
    /// <param name="context">Where.</param>
    /// <param name="name">Its name within the layer, for example <c>kernel</c>.</param>
    /// <param name="type">Element type and static shape.</param>
    /// <param name="initializer">Makes the first value.</param>
    /// <param name="trainable">False for statistics and other state.</param>
    protected Variable AddWeight(
        LayerContext context, string name, TensorType type, Initializer initializer, bool trainable = true)
    {
        Literal value = initializer.Create(type, context.KeyOf(name));
        return Keep(context.Graph.Variable(value, name, trainable));
    }

    /// <summary>Makes the state of a generator of random numbers, u64[2], whose key the seed and the layer's name decide.</summary>
    protected Variable AddRandomState(LayerContext context, string name = "random") => Keep(context.Graph.Variable(
        Literal.From<ulong>([context.KeyOf(name), 0], 2), name, trainable: false));

    /// <summary>Throws GR7001 unless an input is as the layer needs it.</summary>
    protected void Require(bool condition, Tensor input, string needed)
    {
        if (!condition)
        {
            throw new GraphException(
                TrainDiagnostics.BadLayerInput, $"layer '{Name}' takes {needed}, not {input.Type}",
                fix: "check the layer in front, or reshape its result");
        }
    }

    /// <summary>The size of a dimension that weights depend on.</summary>
    /// <exception cref="GraphException">GR7001: it is symbolic.</exception>
    protected long StaticSize(Tensor input, int axis)
    {
        Dim size = input.Shape[axis < 0 ? input.Rank + axis : axis];
        Require(size.IsStatic, input, $"an input whose dimension {axis} has a known size, on which its weights depend");
        return size.Value;
    }

    private Variable Keep(Variable weight)
    {
        _weights.Add(weight);
        return weight;
    }

    // "Conv2DTranspose" is "conv2d_transpose", "MaxPooling2D" is "max_pooling2d", "LSTM" is "lstm".
    private static string SnakeCase(string name)
    {
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool startsWord = i > 0 && char.IsUpper(name[i]) && !char.IsDigit(name[i - 1]) &&
                (char.IsLower(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            bool afterDigit = i > 1 && char.IsUpper(name[i]) && char.IsUpper(name[i - 1]) && char.IsDigit(name[i - 2]);
            text.Append(startsWord || afterDigit ? "_" : "").Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }
}

/// <summary>A layer with one input.</summary>
public abstract class UnaryLayer : Layer
{
    /// <summary>Creates a layer without weights yet.</summary>
    /// <param name="name">Its name; made from the kind of layer when null.</param>
    protected UnaryLayer(string? name)
        : base(name)
    {
    }

    /// <summary>Makes the weights; called once, before the first <see cref="Apply(LayerContext, Tensor)"/>.</summary>
    protected virtual void Build(LayerContext context, Tensor input)
    {
    }

    /// <summary>Builds the result from the input.</summary>
    protected abstract Tensor Apply(LayerContext context, Tensor input);

    /// <inheritdoc/>
    protected sealed override void Build(LayerContext context, IReadOnlyList<Tensor> inputs) => Build(context, Single(inputs));

    /// <inheritdoc/>
    protected sealed override Tensor Apply(LayerContext context, IReadOnlyList<Tensor> inputs) => Apply(context, Single(inputs));

    private Tensor Single(IReadOnlyList<Tensor> inputs) => inputs.Count == 1
        ? inputs[0]
        : throw new GraphException(
            TrainDiagnostics.BadLayerInput, $"layer '{Name}' takes one input, not {inputs.Count}",
            fix: "join the inputs with Concatenate or Add");
}
