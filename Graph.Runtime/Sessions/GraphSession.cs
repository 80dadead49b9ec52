using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>
/// Runs a graph that was built in C#: feeds and fetches are its tensors, variables keep their values between runs.
/// </summary>
/// <remarks>
/// Each combination of fetches, feeds and targets is cut out of the graph, compiled when it is met first, and kept; any
/// tensor can be fed, which leaves out what only computes it. Thread-safe: runs happen together, except that those which
/// assign variables happen alone. Building the graph further while it runs is for the caller to coordinate.
/// </remarks>
public sealed class GraphSession : IDisposable
{
    private readonly Graph _graph;
    private readonly IGraphCompiler _compiler;
    private readonly SessionOptions _options;
    private readonly PlanCache<GraphPlanKey> _plans;
    private readonly VariableStore _variables = new();
    private readonly Lock _lowering = new();

    /// <summary>Opens a session; nothing is compiled yet.</summary>
    /// <param name="graph">The graph; it may grow afterwards.</param>
    /// <param name="compiler">Compiles what is fetched.</param>
    /// <param name="options">How the session works.</param>
    public GraphSession(Graph graph, IGraphCompiler compiler, SessionOptions? options = null)
    {
        _graph = graph;
        _compiler = compiler;
        _options = (options ?? new SessionOptions()).Checked();
        _plans = new PlanCache<GraphPlanKey>(_options.MaxPlans, GraphPlanKey.Difference);
    }

    /// <summary>The number of compiled plans that are kept now.</summary>
    public int PlanCount => _plans.Count;

    /// <summary>Computes one tensor.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{Tensor}, IReadOnlyList{ValueTuple{Tensor, Feed}}, IReadOnlyList{Operation}, CancellationToken)"/>
    public Literal Run(Tensor fetch, params (Tensor Tensor, Feed Value)[] feeds) => Run([fetch], feeds)[0];

    /// <summary>Computes tensors and carries out operations.</summary>
    /// <param name="fetches">What to compute.</param>
    /// <param name="feeds">
    /// Values of tensors of the graph; placeholders without a default that the fetches need must be among them.
    /// </param>
    /// <param name="targets">Operations to carry out besides, for example assignments.</param>
    /// <param name="cancellation">Stops the run; no variable changes then.</param>
    /// <returns>One value per fetch, in order.</returns>
    /// <exception cref="GraphException">A feed is missing or does not fit, or a check in the graph failed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public Literal[] Run(
        IReadOnlyList<Tensor> fetches,
        IReadOnlyList<(Tensor Tensor, Feed Value)> feeds,
        IReadOnlyList<Operation>? targets = null,
        CancellationToken cancellation = default)
    {
        var key = new GraphPlanKey(
            [.. fetches], feeds.Select(f => f.Tensor).ToImmutableArray(), [.. targets ?? []]);
        using PlanCache<GraphPlanKey>.Lease plan = GetPlan(key, cancellation);
        var values = new Dictionary<string, Feed>(StringComparer.Ordinal);
        for (int i = 0; i < feeds.Count; i++)
        {
            values.Add(plan.Program.Inputs[i].Name, feeds[i].Value);
        }
        return FedRun.Run(plan.Program, values, _options.Settings(cancellation));
    }

    /// <summary>Like Run, on another thread.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{Tensor}, IReadOnlyList{ValueTuple{Tensor, Feed}}, IReadOnlyList{Operation}, CancellationToken)"/>
    public Task<Literal[]> RunAsync(
        IReadOnlyList<Tensor> fetches,
        IReadOnlyList<(Tensor Tensor, Feed Value)> feeds,
        IReadOnlyList<Operation>? targets = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Run(fetches, feeds, targets, cancellation), cancellation);

    /// <summary>Compiles a plan for repeated use by position; variables are read and assigned by every run of it.</summary>
    /// <param name="fetches">What to compute.</param>
    /// <param name="feeds">
    /// The tensors that will be passed, in this order; null for the placeholders that the fetches need, as they were built.
    /// </param>
    /// <param name="targets">Operations to carry out besides.</param>
    /// <returns>A callable, to be disposed after use and before the session.</returns>
    /// <exception cref="GraphException">A feed is missing, or the graph cannot be compiled.</exception>
    public Callable MakeCallable(
        IReadOnlyList<Tensor> fetches, IReadOnlyList<Tensor>? feeds = null, IReadOnlyList<Operation>? targets = null)
    {
        var key = new GraphPlanKey([.. fetches], feeds?.ToImmutableArray(), [.. targets ?? []]);
        PlanCache<GraphPlanKey>.Lease plan = GetPlan(key, CancellationToken.None);
        return new Callable(plan.Program, plan, _options.Settings(CancellationToken.None));
    }

    /// <summary>A copy of the present value of a variable.</summary>
    public Literal ValueOf(Variable variable) => _variables.Read(variable);

    /// <summary>Gives a variable a value from outside.</summary>
    /// <exception cref="ArgumentException">The value has another type.</exception>
    public void Assign(Variable variable, Literal value)
    {
        if (!value.Type.Equals(variable.Type))
        {
            throw new ArgumentException($"variable '{variable.Name}' is {variable.Type}, not {value.Type}", nameof(value));
        }
        _variables.Write(variable, value);
    }

    /// <summary>Frees compiled plans and variables. No run may be in progress.</summary>
    public void Dispose()
    {
        _plans.Dispose();
        _variables.Dispose();
    }

    private PlanCache<GraphPlanKey>.Lease GetPlan(GraphPlanKey key, CancellationToken cancellation) =>
        _plans.Get(key, cause => Compile(key, cause, cancellation), cancellation);

    private GraphProgram Compile(GraphPlanKey key, string cause, CancellationToken cancellation)
    {
        LoweredGraph lowered;
        lock (_lowering)
        {
            lowered = _graph.Lower(key.Fetches, key.Feeds, key.Targets);
        }
        GraphProgram program = PlanCompilation.Run(_compiler, lowered.Module, _options.Logger, cause, cancellation);
        return lowered.Variables.IsEmpty ? program : new VariableProgram(program, lowered, key.Fetches.Length, _variables);
    }
}
