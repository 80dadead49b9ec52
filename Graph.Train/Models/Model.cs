using Graphene.Data;
using Graphene.Runtime;

namespace Graphene.Train;

/// <summary>A layer that can be trained, evaluated and asked for predictions by itself.</summary>
/// <remarks>
/// A model that is compiled owns a graph and a session. Models can also be used as layers of other models, or called in a graph of
/// yours with <see cref="Layer.Call"/>; then compile the outer one, or build the training step yourself.
/// </remarks>
public abstract class Model : Layer, IDisposable
{
    private CompileOptions? _options;
    private ModelPasses? _passes;

    /// <summary>Creates a model without weights yet.</summary>
    /// <param name="name">Its name; made from the kind of model when null.</param>
    protected Model(string? name)
        : base(name)
    {
    }

    /// <summary>The session that holds the weights.</summary>
    /// <exception cref="GraphException">GR7003: the model has no weights yet.</exception>
    public Session Session => Passes.Session;

    /// <summary>The types of one example of each input; null when they come from the data.</summary>
    protected virtual IReadOnlyList<TensorType>? ExampleTypes => null;

    private ModelPasses Passes => _passes ?? throw NotReady("it has no weights", "call Build, Fit, Evaluate or Predict first");

    /// <summary>Says how the model is trained and run.</summary>
    public void Compile(CompileOptions options)
    {
        _options = options;
        if (ExampleTypes is { } types)
        {
            Build([.. types]);
        }
    }

    /// <summary>As <see cref="Compile(CompileOptions)"/>, with what is asked for most.</summary>
    /// <param name="compiler">Compiles the steps, for example <c>GraphCompiler.Cpu()</c>.</param>
    /// <param name="optimizer">Changes the weights.</param>
    /// <param name="loss">What the optimizer makes small.</param>
    /// <param name="metrics">What is reported besides the loss.</param>
    public void Compile(IGraphCompiler compiler, Optimizer optimizer, Loss loss, params Metric[] metrics) =>
        Compile(new CompileOptions(compiler, optimizer, loss) { Metrics = metrics });

    /// <summary>Makes the weights, for examples of some types.</summary>
    /// <param name="examples">The type of one example of each input, without the batch.</param>
    /// <exception cref="GraphException">GR7003: it was not compiled.</exception>
    public void Build(params TensorType[] examples) => _passes ??= new ModelPasses(
        this, _options ?? throw NotReady("it was not compiled", "call Compile first"), examples);

    /// <summary>Trains on inputs and targets, row by row.</summary>
    /// <param name="inputs">One row for each example.</param>
    /// <param name="targets">One row for each example.</param>
    /// <param name="options">How.</param>
    /// <returns>The loss and the metrics of each epoch.</returns>
    public History Fit(Literal inputs, Literal targets, FitOptions? options = null) => Fit([inputs, targets], options);

    /// <summary>Trains on tensors: all inputs, the targets, and optionally the weights of examples.</summary>
    public History Fit(Literal[] tensors, FitOptions? options = null)
    {
        FitOptions how = options ?? new FitOptions();
        IndexedDataset rows = Dataset.FromTensors(tensors);
        Dataset ordered = how.Shuffle ? rows.Shuffle(Compiled.Seed) : rows;
        return Fit(ordered.Batch(how.BatchSize, how.DropRemainder), how);
    }

    /// <summary>Trains on batches from anywhere.</summary>
    /// <param name="batches">Batches of all inputs, the targets, and optionally the weights of examples.</param>
    /// <param name="options">How.</param>
    /// <returns>The loss and the metrics of each epoch.</returns>
    public History Fit(Dataset batches, FitOptions? options = null)
    {
        FitOptions how = options ?? new FitOptions();
        foreach (Literal[] first in batches.Take(1))
        {
            Prepare(PassKind.Train, first); // all variables must be there before a callback restores them
        }
        return new TrainingLoop(this, Compiled, how, batches).Run();
    }

    /// <summary>One step of training on a batch: all inputs, the targets, and optionally the weights of examples.</summary>
    /// <returns>The loss and the metrics of the batch, before the step.</returns>
    public IReadOnlyDictionary<string, double> TrainOnBatch(params Literal[] batch)
    {
        var sums = new RunningSums(Compiled.Metrics);
        sums.Add(RunBatch(PassKind.Train, batch, batch[0].Shape[0].Value, CancellationToken.None));
        return new Dictionary<string, double>(sums.Results(""));
    }

    /// <summary>The loss and the metrics of inputs and targets.</summary>
    public IReadOnlyDictionary<string, double> Evaluate(Literal inputs, Literal targets, int batchSize = 256) =>
        Evaluate([inputs, targets], batchSize);

    /// <summary>The loss and the metrics of tensors: all inputs, the targets, and optionally the weights of examples.</summary>
    public IReadOnlyDictionary<string, double> Evaluate(Literal[] tensors, int batchSize = 256)
    {
        var sums = new RunningSums(Compiled.Metrics);
        foreach (Literal[] batch in Dataset.FromTensors(tensors).Batch(batchSize))
        {
            sums.Add(RunBatch(PassKind.Evaluate, batch, batchSize, CancellationToken.None));
        }
        return new Dictionary<string, double>(sums.Results(""));
    }

    /// <summary>The predictions for inputs.</summary>
    public Literal Predict(Literal inputs, int batchSize = 256) => Predict([inputs], batchSize);

    /// <summary>The predictions for all inputs of a model with several.</summary>
    public Literal Predict(Literal[] inputs, int batchSize = 256)
    {
        IndexedDataset data = Dataset.FromTensors(inputs);
        Literal[] parts =
            [.. data.Batch(batchSize).Select(b => RunBatch(PassKind.Predict, b, batchSize, CancellationToken.None)[0])];
        byte[] bytes = new byte[parts.Sum(p => p.Bytes.Length)];
        int at = 0;
        foreach (Literal part in parts)
        {
            part.Bytes.CopyTo(bytes.AsMemory(at));
            at += part.Bytes.Length;
        }
        return new Literal(new TensorType(parts[0].DType, parts[0].Shape.With(0, data.Length)), bytes);
    }

    /// <summary>
    /// The IR of predictions for any number of examples, to export or to compile it elsewhere: inputs are those of the model, then its
    /// weights, whose values <see cref="Session"/> has.
    /// </summary>
    /// <exception cref="GraphException">GR7003: the model has no weights yet.</exception>
    public LoweredGraph LowerPrediction() => Passes.LowerPrediction();

    /// <summary>The present values of all weights, in the order of <see cref="Layer.Weights"/>.</summary>
    public Literal[] GetWeights() => [.. Weights.Select(Passes.Session.ValueOf)];

    /// <summary>Gives all weights values.</summary>
    /// <param name="values">In the order of <see cref="Layer.Weights"/>.</param>
    public void SetWeights(IReadOnlyList<Literal> values)
    {
        IReadOnlyList<Variable> weights = Weights;
        if (values.Count != weights.Count)
        {
            throw new ArgumentException($"{values.Count} values for {weights.Count} weights", nameof(values));
        }
        for (int i = 0; i < values.Count; i++)
        {
            Passes.Session.Assign(weights[i], values[i]);
        }
    }

    /// <summary>A table of the layers with their outputs and weights.</summary>
    /// <exception cref="GraphException">GR7003: the model has no weights yet.</exception>
    public string Summary() => Graph is null
        ? throw NotReady("it has no weights", "call Build, Fit, Evaluate or Predict first")
        : ModelSummary.Of(this);

    /// <summary>Frees the session.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    internal CompileOptions Compiled => _options ?? throw NotReady("it was not compiled", "call Compile first");

    internal Literal[] RunBatch(PassKind kind, Literal[] batch, long? fullBatch, CancellationToken cancellation)
    {
        BuildFor(kind, batch);
        return Passes.Run(kind, batch, fullBatch, cancellation);
    }

    /// <summary>Frees the session.</summary>
    /// <param name="disposing">Whether this was asked for, as always here.</param>
    protected virtual void Dispose(bool disposing) => _passes?.Dispose();

    private void Prepare(PassKind kind, Literal[] batch)
    {
        BuildFor(kind, batch);
        Passes.Prepare(kind, batch);
    }

    private void BuildFor(PassKind kind, Literal[] batch)
    {
        if (_passes is null)
        {
            int inputs = kind == PassKind.Predict ? batch.Length : Math.Max(1, ExampleTypes?.Count ?? 1);
            Build([.. batch.Take(inputs).Select(ModelPasses.Example)]);
        }
    }

    private GraphException NotReady(string what, string fix) =>
        new(TrainDiagnostics.NotCompiled, $"model '{Name}': {what}", fix: fix);
}
