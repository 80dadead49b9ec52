namespace Graphene.Runtime;

// Running by names.
public sealed partial class Session
{
    /// <summary>Fetches one value by name.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{string}, IReadOnlyDictionary{string, Feed}, CancellationToken)"/>
    public Literal Run(
        string fetch, IReadOnlyDictionary<string, Feed> feeds, CancellationToken cancellation = default) =>
        Run([fetch], feeds, cancellation)[0];

    /// <summary>Computes values by name.</summary>
    /// <param name="fetches">Names of a module's outputs, or of tensors of a graph; only what they need is compiled and run.</param>
    /// <param name="feeds">Values of the inputs that they need, by name; those of a module that are not needed are ignored.</param>
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
        if (_module is null)
        {
            // In one order, so that a dictionary's own does not make another plan.
            IEnumerable<(Tensor, Feed)> values = feeds.OrderBy(f => f.Key, StringComparer.Ordinal).Select(
                f => (_graph!.Find(f.Key, RuntimeDiagnostics.BadFeed), f.Value));
            return Run(Tensors(fetches), [.. values], [], cancellation);
        }
        using PlanCache<PlanKey>.Lease plan = _module.Get(fetches, cancellation);
        _module.RequireKnown(feeds);
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
    /// <param name="fetches">Names of a module's outputs, or of tensors of a graph.</param>
    /// <param name="feeds">
    /// Names of inputs in the order in which they will be passed; all that the fetches need. Null: the graph's order.
    /// </param>
    /// <returns>A callable, to be disposed after use.</returns>
    /// <exception cref="GraphException">A name does not fit, or the graph cannot be compiled.</exception>
    public Callable MakeCallable(IReadOnlyList<string> fetches, IReadOnlyList<string>? feeds = null)
    {
        if (_module is null)
        {
            return MakeCallable(
                Tensors(fetches), feeds is null ? null : [.. feeds.Select(f => _graph!.Find(f, RuntimeDiagnostics.BadFeed))]);
        }
        PlanCache<PlanKey>.Lease plan = _module.Get(fetches, CancellationToken.None);
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

    private Tensor[] Tensors(IReadOnlyList<string> names) =>
        [.. names.Select(n => _graph!.Find(n, RuntimeDiagnostics.UnknownFetch))];
}
