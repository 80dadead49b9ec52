using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>Runs a graph: compiles what is fetched when it is fetched first, and keeps it.</summary>
/// <remarks>
/// Thread-safe: any number of runs at a time, each with scratch memory of its own. Runs share the process's
/// <see cref="ComputePool"/>.
/// </remarks>
public sealed partial class Session : IDisposable
{
    private readonly Module _module;
    private readonly IGraphCompiler _compiler;
    private readonly PlanCache _plans;
    private readonly ILogger _logger;
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
        _options = options ?? new SessionOptions();
        _logger = _options.Logger;
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxPlans, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(_options.MaxThreads, nameof(options));
        _plans = new PlanCache(_options.MaxPlans);
        _inputNames = [.. module.InputNames];
    }

    /// <summary>The names that can be fetched.</summary>
    public ImmutableArray<string> OutputNames => _module.OutputNames;

    /// <summary>The number of compiled plans that are kept now.</summary>
    public int PlanCount => _plans.Count;

    private ComputePool Pool => _options.Pool ?? ComputePool.Shared;

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
        using PlanCache.Lease plan = GetPlan(fetches, cancellation);
        RequireKnown(feeds);
        return FedRun.Run(plan.Program, feeds, Settings(cancellation));
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
        PlanCache.Lease plan = GetPlan(fetches, CancellationToken.None);
        try
        {
            string[] inputs = [.. plan.Program.Inputs.Select(i => i.Name)];
            return feeds is null || feeds.SequenceEqual(inputs)
                ? new Callable(plan.Program, plan, Settings(CancellationToken.None))
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

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Compiling a plan for {Fetches} of '{Graph}' on {Device}: {Cause}")]
    private static partial void LogMiss(ILogger logger, string fetches, string graph, string device, string cause);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Compiled the plan for {Fetches} of '{Graph}' in {Milliseconds} ms")]
    private static partial void LogCompiled(ILogger logger, string fetches, string graph, double milliseconds);

    private RunSettings Settings(CancellationToken cancellation) =>
        new(Pool, _options.MaxThreads, _options.PrintOutput ?? Console.Error, cancellation);

    private PlanCache.Lease GetPlan(IReadOnlyList<string> fetches, CancellationToken cancellation)
    {
        var key = new PlanKey([.. fetches.Select(OutputNumber)]);
        if (key.Outputs.Distinct().Count() != key.Outputs.Length)
        {
            throw new GraphException(
                RuntimeDiagnostics.UnknownFetch, $"an output is fetched twice: {string.Join(", ", fetches)}",
                fix: "fetch each output once");
        }
        return _plans.Get(key, _module.OutputNames, cause => Compile(key, cause, cancellation));
    }

    private GraphProgram Compile(PlanKey key, string cause, CancellationToken cancellation)
    {
        if (!_logger.IsEnabled(LogLevel.Information))
        {
            return Compile(key, cancellation);
        }
        string fetches = string.Join(", ", key.Outputs.Select(o => _module.OutputNames[o]));
        LogMiss(_logger, fetches, _module.Name, _compiler.Device, cause);
        long start = Stopwatch.GetTimestamp();
        GraphProgram program = Compile(key, cancellation);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        LogCompiled(_logger, fetches, _module.Name, milliseconds);
        return program;
    }

    private GraphProgram Compile(PlanKey key, CancellationToken cancellation) =>
        _compiler.Compile(ModulePruner.Select(_module, key.Outputs), _logger, cancellation);

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
