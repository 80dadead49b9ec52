namespace Graphene.Runtime;

/// <summary>The values of a session's variables, in native memory or on the device that runs its plans.</summary>
/// <remarks>
/// Because of its two blocks a run that is cancelled or fails changes no variable, and a training step allocates nothing.
/// </remarks>
internal sealed class VariableStore : IDisposable
{
    private readonly Dictionary<Variable, VariableCell> _cells = [];
    private bool _disposed;

    /// <summary>What runs over the variables go through.</summary>
    public VariableGate Gate { get; } = new(typeof(Session));

    /// <summary>The variable's memory; its initial value is there from the start.</summary>
    public VariableCell this[Variable variable]
    {
        get
        {
            lock (_cells)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(Session));
                if (!_cells.TryGetValue(variable, out VariableCell? cell))
                {
                    cell = new VariableCell(variable.InitialValue.Bytes.Span);
                    _cells.Add(variable, cell);
                }
                return cell;
            }
        }
    }

    /// <summary>Copies of the present values, all from between the same two runs.</summary>
    public Literal[] Read(IReadOnlyList<Variable> variables)
    {
        VariableCell[] cells = [.. variables.Select(v => this[v])];
        Gate.Enter(assigns: false, CancellationToken.None);
        try
        {
            return
            [
                .. variables.Select((v, i) => new Literal(v.Type, cells[i].ToArray())),
            ];
        }
        finally
        {
            Gate.Exit(assigns: false);
        }
    }

    /// <summary>Sets values, which have their variables' types; no run sees some of them without the others.</summary>
    public void Write(IReadOnlyList<(Variable Variable, Literal Value)> values)
    {
        VariableCell[] cells = [.. values.Select(v => this[v.Variable])];
        Gate.Enter(assigns: true, CancellationToken.None);
        try
        {
            for (int i = 0; i < cells.Length; i++)
            {
                cells[i].Write(values[i].Value.Bytes.Span);
            }
        }
        finally
        {
            Gate.Exit(assigns: true);
        }
    }

    /// <summary>Moves variables to where the programs that use them want them.</summary>
    /// <param name="variables">The variables.</param>
    /// <param name="device">The device; null for the host.</param>
    public void PlaceOn(IEnumerable<VariableCell> variables, GpuDevice? device)
    {
        Gate.Enter(assigns: true, CancellationToken.None);
        try
        {
            foreach (VariableCell variable in variables)
            {
                variable.PlaceOn(device);
            }
        }
        finally
        {
            Gate.Exit(assigns: true);
        }
    }

    /// <summary>Frees all variables, when the runs that use them have ended.</summary>
    public void Dispose() => Gate.Close(() =>
    {
        lock (_cells)
        {
            _disposed = true;
            foreach (VariableCell cell in _cells.Values)
            {
                cell.Dispose();
            }
            _cells.Clear();
        }
    });
}
