using Graphene.Runtime;

namespace Graphene.Train;

/// <summary>What a model does with a batch.</summary>
internal enum PassKind
{
    /// <summary>Changes the weights, and gives the sums of loss and metrics.</summary>
    Train,

    /// <summary>Gives the sums of loss and metrics.</summary>
    Evaluate,

    /// <summary>Gives predictions.</summary>
    Predict,
}

/// <summary>The steps of a model in its graph, each built when it is asked for first.</summary>
/// <remarks>
/// A step for batches of a fixed number of examples compiles to faster code than one for any number, so full batches have steps of
/// their own and only a smaller last batch takes the general one.
/// </remarks>
internal sealed class ModelPasses : IDisposable
{
    private readonly Model _model;
    private readonly CompileOptions _options;
    private readonly TensorType[] _inputs;
    private readonly Dictionary<(PassKind, long?), Pass> _passes = [];
    private TensorType[]? _targets;

    /// <summary>Builds the forward pass, which makes the weights.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How it is trained and run.</param>
    /// <param name="inputs">The types of one example.</param>
    public ModelPasses(Model model, CompileOptions options, IReadOnlyList<TensorType> inputs)
    {
        _model = model;
        _options = options;
        _inputs = [.. inputs];
        Graph = new Graph(model.Name);
        _ = Get(PassKind.Predict, null);
        Session = new Session(Graph, options.Compiler, options.Session);
    }

    public Graph Graph { get; }

    public Session Session { get; }

    public CompileOptions Options => _options;

    public int InputCount => _inputs.Length;

    /// <summary>Runs a step.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="batch">Inputs, and for training and evaluation targets and perhaps weights of examples.</param>
    /// <param name="fullBatch">The number of examples of most batches; null when there is no such number.</param>
    /// <param name="cancellation">Stops the run.</param>
    public Literal[] Run(PassKind kind, Literal[] batch, long? fullBatch, CancellationToken cancellation)
    {
        Pass pass = Find(kind, batch, fullBatch);
        RequireFit(batch, pass.Feeds);
        var feeds = new (Tensor, Feed)[pass.Feeds.Length];
        for (int i = 0; i < feeds.Length; i++)
        {
            feeds[i] = (pass.Feeds[i], batch[i]);
        }
        return Session.Run(pass.Fetches, feeds, pass.Targets, cancellation);
    }

    /// <summary>Builds a step, and with it all variables that it uses.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="batch">A batch like those that will come.</param>
    public void Prepare(PassKind kind, Literal[] batch) => _ = Find(kind, batch, batch[0].Shape[0].Value);

    /// <summary>The prediction for any number of examples.</summary>
    public LoweredGraph LowerPrediction()
    {
        Pass pass = Get(PassKind.Predict, null);
        return Graph.Lower(pass.Fetches, pass.Feeds);
    }

    public void Dispose() => Session.Dispose();

    /// <summary>The type of one example of a tensor with a batch dimension.</summary>
    public static TensorType Example(Literal batch) => new(batch.DType, Shape.From(batch.Shape.Skip(1)));

    private Pass Find(PassKind kind, Literal[] batch, long? fullBatch)
    {
        if (kind != PassKind.Predict)
        {
            _targets ??= [.. batch.Skip(_inputs.Length).Select(Example)];
        }
        return Get(kind, batch[0].Shape[0].Value == fullBatch ? fullBatch : null);
    }

    private Pass Get(PassKind kind, long? rows)
    {
        if (!_passes.TryGetValue((kind, rows), out Pass? pass))
        {
            pass = Build(kind, rows);
            _passes.Add((kind, rows), pass);
        }
        return pass;
    }

    private Pass Build(PassKind kind, long? rows)
    {
        Dim batch = rows is { } fixedRows ? fixedRows : "batch";
        Tensor[] inputs = [.. _inputs.Select((type, i) => Placeholder(type, batch, _inputs.Length == 1 ? "x" : $"x{i}"))];
        var context = new LayerContext(Graph, kind == PassKind.Train, _options.Seed);
        Tensor prediction = _model.Call(context, inputs);
        if (kind == PassKind.Predict)
        {
            return new Pass(inputs, [prediction], []);
        }
        Tensor[] targets = [.. _targets!.Select((type, i) => Placeholder(type, batch, i == 0 ? "y" : "weights"))];
        Tensor loss = context.Losses.Aggregate(
            _options.Loss.Call(targets[0], prediction, targets.Length > 1 ? targets[1] : null), (sum, one) => sum + one);
        Tensor count = Graph.Size(batch).Cast(DType.F32);
        Tensor[] sums = [loss.Cast(DType.F32) * count, count, .. _options.Metrics.SelectMany(m => m.Sums(targets[0], prediction))];
        Operation[] updates = kind == PassKind.Train
            ? [_options.Optimizer.Minimize(loss, _model.TrainableWeights), .. context.Updates]
            : [];
        return new Pass([.. inputs, .. targets], sums, updates);
    }

    private Tensor Placeholder(TensorType example, Dim batch, string name) =>
        Graph.Placeholder(example.DType, [batch, .. example.Shape], name);

    private void RequireFit(Literal[] batch, Tensor[] feeds)
    {
        bool fits = batch.Length == feeds.Length && batch.Zip(feeds).All(pair =>
            pair.First.DType == pair.Second.DType && pair.First.Shape.Skip(1).SequenceEqual(pair.Second.Shape.Skip(1)) &&
            pair.First.Shape[0] == batch[0].Shape[0]);
        if (!fits)
        {
            throw new GraphException(
                TrainDiagnostics.BadTrainingData,
                $"model '{_model.Name}': a batch is {string.Join(", ", batch.Select(b => b.Type))}, " +
                $"it takes {string.Join(", ", feeds.Select(f => f.Type))}",
                why: "all batches have the element types and shapes of the first, and as many rows in each tensor",
                fix: "cast or reshape the data");
        }
    }

    private sealed record Pass(Tensor[] Feeds, Tensor[] Fetches, Operation[] Targets);
}
