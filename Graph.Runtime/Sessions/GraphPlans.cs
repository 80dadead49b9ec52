namespace Graphene.Runtime;

/// <summary>The compiled parts of a graph that was built in C#, and its variables.</summary>
/// <remarks>Each combination of fetches, feeds and targets is cut out of the graph when it is met first.</remarks>
internal sealed class GraphPlans : IDisposable
{
    private readonly IGraphCompiler _compiler;
    private readonly SessionOptions _options;
    private readonly PlanCache<GraphPlanKey> _plans;
    private readonly Lock _lowering = new();

    /// <summary>Prepares for a graph, which may grow.</summary>
    public GraphPlans(Graph graph, IGraphCompiler compiler, SessionOptions options)
    {
        Graph = graph;
        _compiler = compiler;
        _options = options;
        _plans = new PlanCache<GraphPlanKey>(options.MaxPlans, GraphPlanKey.Difference);
    }

    /// <summary>The graph.</summary>
    public Graph Graph { get; }

    /// <summary>The variables' values.</summary>
    public VariableStore Variables { get; } = new();

    /// <summary>How many plans are kept now.</summary>
    public int Count => _plans.Count;

    /// <summary>Gets a plan, compiling it when it is not there.</summary>
    public PlanCache<GraphPlanKey>.Lease Get(GraphPlanKey key, CancellationToken cancellation) =>
        _plans.Get(key, cause => Compile(key, cause, cancellation), cancellation);

    /// <summary>The tensor of a name.</summary>
    /// <param name="name">A placeholder's name, or one given by <see cref="Tensor.Named"/>.</param>
    /// <param name="id">What is wrong when there is no such tensor.</param>
    /// <exception cref="GraphException">There is none.</exception>
    public Tensor Find(string name, DiagnosticId id) => Graph.Find(name) ?? throw new GraphException(
        id, $"there is no tensor '{name}' in graph '{Graph.Name}'",
        why: "placeholders have names, and other tensors those that Tensor.Named gave them", fix: "pass the tensor itself, or name it");

    /// <inheritdoc/>
    public void Dispose()
    {
        _plans.Dispose();
        Variables.Dispose();
    }

    private GraphProgram Compile(GraphPlanKey key, string cause, CancellationToken cancellation)
    {
        LoweredGraph lowered;
        lock (_lowering)
        {
            lowered = Graph.Lower(key.Fetches, key.Feeds, key.Targets);
        }
        GraphProgram program = PlanCompilation.Run(_compiler, lowered.Module, _options, cause, cancellation);
        if (lowered.Variables.IsEmpty)
        {
            return program;
        }
        try
        {
            VariableUse[] uses = [.. lowered.Variables.Select(v => new VariableUse(Variables[v.Variable], v.Input, v.Output))];
            if (program.Device is { } device)
            {
                Variables.PlaceOn(uses.Select(u => u.Cell), device);
            }
            return new VariableProgram(program, ownsInner: true, uses, Variables.Gate);
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }
}
