namespace Graphene.Runtime;

/// <summary>The compiled parts of a module: one for each list of outputs that was fetched.</summary>
internal sealed class ModulePlans : IDisposable
{
    private readonly IGraphCompiler _compiler;
    private readonly SessionOptions _options;
    private readonly PlanCache<PlanKey> _plans;
    private readonly HashSet<string> _inputNames;

    /// <summary>Prepares for a module.</summary>
    public ModulePlans(Module module, IGraphCompiler compiler, SessionOptions options)
    {
        Module = module;
        _compiler = compiler;
        _options = options;
        _plans = new PlanCache<PlanKey>(options.MaxPlans, Difference);
        _inputNames = [.. module.InputNames];
    }

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>How many plans are kept now.</summary>
    public int Count => _plans.Count;

    /// <summary>Gets a plan, compiling it when it is not there.</summary>
    /// <exception cref="GraphException">GR6204: an output is not there, or fetched twice.</exception>
    public PlanCache<PlanKey>.Lease Get(IReadOnlyList<string> fetches, CancellationToken cancellation)
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
                _compiler, ModulePruner.Select(Module, key.Outputs), _options, cause, cancellation),
            cancellation);
    }

    /// <summary>Checks that every feed has the name of an input.</summary>
    /// <exception cref="GraphException">GR6205: one has not.</exception>
    public void RequireKnown(IReadOnlyDictionary<string, Feed> feeds)
    {
        foreach (string name in feeds.Keys)
        {
            if (!_inputNames.Contains(name))
            {
                throw new GraphException(
                    RuntimeDiagnostics.BadFeed, $"there is no input '{name}' in '{Module.Name}'",
                    fix: $"choose from: {string.Join(", ", Module.InputNames)}");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _plans.Dispose();

    private string Difference(PlanKey last, PlanKey now) => PlanCompilation.Difference(
        "fetches", last.Outputs.Select(o => Module.OutputNames[o]), now.Outputs.Select(o => Module.OutputNames[o]));

    private int OutputNumber(string name)
    {
        int number = Module.OutputNames.IndexOf(name);
        return number >= 0
            ? number
            : throw new GraphException(
                RuntimeDiagnostics.UnknownFetch, $"there is no output '{name}' in '{Module.Name}'",
                fix: $"choose from: {string.Join(", ", Module.OutputNames)}");
    }
}
