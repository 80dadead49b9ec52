using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>Runs a graph: compiles what is fetched when it is fetched first, and keeps it.</summary>
/// <remarks>
/// Thread-safe: any number of runs at a time, each with scratch memory of its own. Runs share the process's
/// <see cref="ComputePool"/>.
/// </remarks>
public sealed class Session : IDisposable
{
    private readonly Module _module;
    private readonly IGraphCompiler _compiler;
    private readonly PlanCache<PlanKey> _plans;
    private readonly SessionOptions _options;
    private readonly HashSet<string> _inputNames;

    /// <summary>Opens a session; nothing is compiled yet.</summary>
    /// <param name="module">The graph.</param>
    /// <param name="compiler">Compiles what is fetched.</param>
    /// <param name="options">How the session works.</param>
    public Session(Module module, IGraphCompiler compiler, SessionOptions? options = null)
    {
        _module = module;
        _compiler = compiler;
        _options = (options ?? new SessionOptions()).Checked();
        _plans = new PlanCache<PlanKey>(_options.MaxPlans, Difference);
        _inputNames = [.. module.InputNames];
    }

    /// <summary>The names that can be fetched.</summary>
    public ImmutableArray<string> OutputNames => _module.OutputNames;

    /// <summary>The number of compiled plans that are kept now.</summary>
    public int PlanCount => _plans.Count;

    /// <summary>Fetches one output.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{string}, IReadOnlyDictionary{string, Feed}, CancellationToken)"/>
    public Literal Run(
        string fetch, IReadOnlyDictionary<string, Feed> feeds, CancellationToken cancellation = default) =>
        Run([fetch], feeds, cancellation)[0];

    /// <summary>Computes outputs from inputs.</summary>
    /// <param name="fetches">Names of outputs; only what they need is compiled and run.</param>
    /// <param name="feeds">Values of the inputs that they need, by name; others are ignored.</param>
    /// <param name="cancellation">Stops the run; the session stays usable.</param>
    /// <returns>One value per fetch, in order.</returns>
    /// <exception cref="GraphException">A name or a value does not fit, the graph cannot be compiled, or a check in it
    /// failed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public Literal[] Run(
        IReadOnlyList<string> fetches,
        IReadOnlyDictionary<string, Feed> feeds,
        CancellationToken cancellation = default)
    {
        using PlanCache<PlanKey>.Lease plan = GetPlan(fetches, cancellation);
        RequireKnown(feeds);
        return FedRun.Run(plan.Program, feeds, _options.Settings(cancellation));
    }

    /// <summary>Like Run, on another thread.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{string}, IReadOnlyDictionary{string, Feed}, CancellationToken)"/>
    public Task<Literal[]> RunAsync(
        IReadOnlyList<string> fetches,
        IReadOnlyDictionary<string, Feed> feeds,
        CancellationToken cancellation = default) =>
        Task.Run(() => Run(fetches, feeds, cancellation), cancellation);

    /// <summary>Compiles a plan for repeated use by position.</summary>
    /// <param name="fetches">Names of outputs.</param>
    /// <param name="feeds">
    /// Names of inputs in the order in which they will be passed; all that the fetches need. Null: the graph's order.
    /// </param>
    /// <returns>A callable, to be disposed after use.</returns>
    /// <exception cref="GraphException">A name does not fit, or the graph cannot be compiled.</exception>
    public Callable MakeCallable(IReadOnlyList<string> fetches, IReadOnlyList<string>? feeds = null)
    {
        PlanCache<PlanKey>.Lease plan = GetPlan(fetches, CancellationToken.None);
        try
        {
            string[] inputs = [.. plan.Program.Inputs.Select(i => i.Name)];
            return feeds is null || feeds.SequenceEqual(inputs)
                ? new Callable(plan.Program, plan, _options.Settings(CancellationToken.None))
                : throw new GraphException(
                    RuntimeDiagnostics.BadFeed,
                    $"a callable for {string.Join(", ", fetches)} cannot take {string.Join(", ", feeds)}",
                    why: $"its inputs are {string.Join(", ", inputs)}, in this order",
                    fix: "name exactly these, or pass null");
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    /// <summary>Frees every plan that is not in use; plans in use are freed when their runs end.</summary>
    public void Dispose() => _plans.Dispose();

    private PlanCache<PlanKey>.Lease GetPlan(IReadOnlyList<string> fetches, CancellationToken cancellation)
    {
        var key = new PlanKey([.. fetches.Select(OutputNumber)]);
        if (key.Outputs.Distinct().Count() != key.Outputs.Length)
        {
            throw new GraphException(
                RuntimeDiagnostics.UnknownFetch, $"an output is fetched twice: {string.Join(", ", fetches)}",
                fix: "fetch each output once");
        }
        return _plans.Get(
            key,
            cause => PlanCompilation.Run(
                _compiler, ModulePruner.Select(_module, key.Outputs), _options.Logger, cause, cancellation),
            cancellation);
    }

    private string Difference(PlanKey last, PlanKey now) => PlanCompilation.Difference(
        "fetches", last.Outputs.Select(o => _module.OutputNames[o]), now.Outputs.Select(o => _module.OutputNames[o]));

    private int OutputNumber(string name)
    {
        int number = _module.OutputNames.IndexOf(name);
        return number >= 0
            ? number
            : throw new GraphException(
                RuntimeDiagnostics.UnknownFetch, $"there is no output '{name}' in '{_module.Name}'",
                fix: $"choose from: {string.Join(", ", _module.OutputNames)}");
    }

    private void RequireKnown(IReadOnlyDictionary<string, Feed> feeds)
    {
        foreach (string name in feeds.Keys)
        {
            if (!_inputNames.Contains(name))
            {
                throw new GraphException(
                    RuntimeDiagnostics.BadFeed, $"there is no input '{name}' in '{_module.Name}'",
                    fix: $"choose from: {string.Join(", ", _module.InputNames)}");
            }
        }
    }
}
