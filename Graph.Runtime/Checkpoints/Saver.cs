namespace Graphene.Runtime;

/// <summary>Saves and restores what a training consists of: a session's variables, and state outside of the graph.</summary>
/// <remarks>
/// <para>
/// Weights, an optimizer's moments and the counters of random numbers are variables and need no more than the session. State outside
/// of the graph, such as the position in the data, is added with <see cref="Track"/>. Restoring all of it continues a training bit for
/// bit.
/// </para>
/// <para>
/// A save sees the variables as they are between two runs. A restore changes everything that it will change or, when it fails, no
/// variable at all. Thread-safe, as far as the state that was added is.
/// </para>
/// </remarks>
public sealed class Saver
{
    private readonly Session _session;
    private readonly IReadOnlyList<Variable>? _variables;
    private readonly List<TrackedState> _states = [];

    /// <summary>A saver for all variables of a session's graph, those included that are made later.</summary>
    /// <param name="session">Holds the values.</param>
    /// <param name="variables">Only these variables, for example the weights without the optimizer's state.</param>
    /// <exception cref="ArgumentException">The session runs a module, which has no variables.</exception>
    public Saver(Session session, IReadOnlyList<Variable>? variables = null)
    {
        Graph = session.Graph ?? throw new ArgumentException("the session runs a module, which has no variables", nameof(session));
        _session = session;
        _variables = variables;
    }

    /// <summary>The graph whose variables are saved.</summary>
    public Graph Graph { get; }

    /// <summary>Adds state outside of the graph.</summary>
    /// <param name="name">Its name in checkpoints, different from those of the variables and other state.</param>
    /// <param name="save">Gives the state as a tensor; its type may vary.</param>
    /// <param name="restore">Puts a saved state back, or throws when it does not fit.</param>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void Track(string name, Func<Literal> save, Action<Literal> restore)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (_states.Exists(s => s.Name == name) || Variables.Any(v => v.Name == name))
        {
            throw new ArgumentException($"'{name}' is the name of something else that is saved", nameof(name));
        }
        _states.Add(new TrackedState(name, save, restore));
    }

    /// <summary>Copies of everything as it is now; may be written, by any thread, while the training goes on.</summary>
    public IReadOnlyList<NamedTensor> Snapshot()
    {
        Variable[] variables = [.. Variables];
        Literal[] values = variables.Length == 0 ? [] : _session.ValuesOf(variables);
        return
        [
            .. variables.Select((v, i) => new NamedTensor(v.Name, values[i])),
            .. _states.Select(s => new NamedTensor(s.Name, s.Save())),
        ];
    }

    /// <summary>Writes everything to one file, in the safetensors format; an existing file is replaced at once.</summary>
    /// <param name="path">The file.</param>
    /// <param name="metadata">What to say beside the tensors.</param>
    /// <exception cref="GraphException">GR6301: the file cannot be written.</exception>
    public void Save(string path, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsFile.Write(path, Snapshot(), metadata);

    /// <summary>Restores from a file in the safetensors format, after comparing its content with its digest if it has one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What may be left undone, and where to look for what.</param>
    /// <exception cref="GraphException">GR6301, GR6302, GR6303, GR6304: the file cannot be used; no variable has changed.</exception>
    public RestoreReport Restore(string path, RestoreOptions? options = null)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        bool verified = file.Verify();
        return Restore(file, options) with { IsVerified = verified };
    }

    /// <summary>Restores from tensors wherever they are, for example a NumPy archive.</summary>
    /// <inheritdoc cref="Restore(string, RestoreOptions?)"/>
    /// <param name="source">The tensors.</param>
    /// <param name="options">What may be left undone, and where to look for what.</param>
    public RestoreReport Restore(INamedTensors source, RestoreOptions? options = null)
    {
        options ??= new RestoreOptions();
        var plan = new RestorePlan(source, options);
        foreach (Variable variable in Variables)
        {
            plan.Add(variable.Name, variable.Type);
        }
        foreach (TrackedState state in _states)
        {
            plan.Add(state.Name, null);
        }
        RestoreReport report = plan.Finish();
        if (!report.IsAllowedBy(options))
        {
            throw new GraphException(
                RuntimeDiagnostics.CheckpointMismatch, report.ToString(), source.Name,
                "by default everything must be there, fit, and be used",
                "restore into the graph that was saved, or say in RestoreOptions what may be left undone or has another name");
        }

        // Everything is read, and state outside of the graph accepts what it gets, before a variable changes.
        Dictionary<string, Literal> values = report.Restored.ToDictionary(r => r.Name, r => source.Read(r.NameInCheckpoint));
        foreach (TrackedState state in _states)
        {
            if (values.TryGetValue(state.Name, out Literal? saved))
            {
                state.Restore(saved);
            }
        }
        (Variable, Literal)[] assigned =
            [.. Variables.Where(v => values.ContainsKey(v.Name)).Select(v => (v, values[v.Name]))];
        if (assigned.Length > 0)
        {
            _session.Assign(assigned);
        }
        return report;
    }

    private IEnumerable<Variable> Variables => _variables ?? Graph.Variables;

    private sealed record TrackedState(string Name, Func<Literal> Save, Action<Literal> Restore);
}
