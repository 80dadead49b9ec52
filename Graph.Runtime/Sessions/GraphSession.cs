namespace Graphene.Runtime;

/// <summary>Runs a graph that was built in C#: feeds and fetches are its tensors, variables keep their values between runs.</summary>
/// <remarks>
/// Each combination of fetches, feeds and targets is cut out of the graph, compiled when it is met first, and kept; any tensor can be
/// fed, which leaves out what only computes it. Thread-safe; runs that assign variables happen one at a time.
/// </remarks>
public sealed class GraphSession : IDisposable
{
    private readonly Graph _graph;
    private readonly IGraphCompiler _compiler;
    private readonly SessionOptions _options;
    private readonly Lock _gate = new();
    private readonly LinkedList<Plan> _plans = new(); // the one used last in front
    private readonly Dictionary<Variable, Literal> _values = [];

    /// <summary>Opens a session; nothing is compiled yet.</summary>
    /// <param name="graph">The graph; it may grow afterwards.</param>
    /// <param name="compiler">Compiles what is fetched.</param>
    /// <param name="options">How the session works.</param>
    public GraphSession(Graph graph, IGraphCompiler compiler, SessionOptions? options = null)
    {
        _graph = graph;
        _compiler = compiler;
        _options = options ?? new SessionOptions();
    }

    /// <summary>Computes one tensor.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{Tensor}, IReadOnlyList{ValueTuple{Tensor, Feed}}, IReadOnlyList{Operation}, CancellationToken)"/>
    public Literal Run(Tensor fetch, params (Tensor Tensor, Feed Value)[] feeds) => Run([fetch], feeds)[0];

    /// <summary>Computes tensors and carries out operations.</summary>
    /// <param name="fetches">What to compute.</param>
    /// <param name="feeds">Values of tensors of the graph; placeholders without a default that the fetches need must be among them.</param>
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
        Plan plan = GetPlan(fetches, [.. feeds.Select(f => f.Tensor)], targets ?? []);
        if (!plan.Lowered.Variables.Any(v => v.Output >= 0))
        {
            return Run(plan, fetches.Count, feeds, cancellation);
        }
        lock (_gate)
        {
            return Run(plan, fetches.Count, feeds, cancellation);
        }
    }

    /// <summary>The present value of a variable.</summary>
    public Literal ValueOf(Variable variable)
    {
        lock (_values)
        {
            return _values.TryGetValue(variable, out Literal? value) ? value : variable.InitialValue;
        }
    }

    /// <summary>Gives a variable a value from outside.</summary>
    /// <exception cref="ArgumentException">The value has another type.</exception>
    public void Assign(Variable variable, Literal value)
    {
        if (!value.Type.Equals(variable.Type))
        {
            throw new ArgumentException($"variable '{variable.Name}' is {variable.Type}, not {value.Type}", nameof(value));
        }
        lock (_values)
        {
            _values[variable] = value;
        }
    }

    /// <summary>Frees all compiled plans.</summary>
    public void Dispose()
    {
        lock (_plans)
        {
            foreach (Plan plan in _plans)
            {
                plan.Session.Dispose();
            }
            _plans.Clear();
        }
    }

    private Literal[] Run(Plan plan, int fetches, IReadOnlyList<(Tensor Tensor, Feed Value)> feeds, CancellationToken cancellation)
    {
        Module module = plan.Lowered.Module;
        var values = new Dictionary<string, Feed>();
        for (int i = 0; i < feeds.Count; i++)
        {
            values[module.InputNames[i]] = feeds[i].Value;
        }
        foreach (VariableBinding binding in plan.Lowered.Variables.Where(v => v.Input >= 0))
        {
            values[module.InputNames[binding.Input]] = ValueOf(binding.Variable);
        }
        Literal[] results = plan.Session.Run(module.OutputNames, values, cancellation);
        lock (_values)
        {
            foreach (VariableBinding binding in plan.Lowered.Variables.Where(v => v.Output >= 0))
            {
                _values[binding.Variable] = results[binding.Output];
            }
        }
        return results[..fetches];
    }

    private Plan GetPlan(IReadOnlyList<Tensor> fetches, Tensor[] feeds, IReadOnlyList<Operation> targets)
    {
        object[] key = [.. fetches, typeof(Feed), .. feeds, typeof(Operation), .. targets];
        lock (_plans)
        {
            for (LinkedListNode<Plan>? at = _plans.First; at is not null; at = at.Next)
            {
                if (at.Value.Key.AsSpan().SequenceEqual(key))
                {
                    _plans.Remove(at);
                    _plans.AddFirst(at);
                    return at.Value;
                }
            }
            LoweredGraph lowered = _graph.Lower(fetches, feeds, targets);
            var plan = new Plan(key, lowered, new Session(lowered.Module, _compiler, _options));
            _plans.AddFirst(plan);
            if (_plans.Count > _options.MaxPlans)
            {
                _plans.Last!.Value.Session.Dispose();
                _plans.RemoveLast();
            }
            return plan;
        }
    }

    private sealed record Plan(object[] Key, LoweredGraph Lowered, Session Session);
}
