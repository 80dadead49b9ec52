namespace Graphene.Runtime;

/// <summary>What the functions of a compiled graph leave for each other: a cache of keys and values, weights that are trained.</summary>
/// <remarks>
/// Thread-safe: runs that assign state happen one after the other, and a run that fails or is cancelled changes nothing. States share
/// code and constants with their graph and nothing with each other.
/// </remarks>
public sealed unsafe class GraphState : IDisposable
{
    private readonly CompiledGraph _graph;
    private readonly VariableGate _gate = new(typeof(GraphState));
    private readonly VariableCell[] _cells;
    private readonly GraphProgram[] _programs;

    internal GraphState(CompiledGraph graph)
    {
        _graph = graph;
        _cells = new VariableCell[States.Length];
        for (int i = 0; i < _cells.Length; i++)
        {
            _cells[i] = new VariableCell(InitialOf(i), States[i].Type.SizeInBytes.Value);
            _cells[i].PlaceOn(graph.Bundle.Programs[0].Device);
        }
        _programs = new GraphProgram[graph.Signatures.Count];
        for (int i = 0; i < _programs.Length; i++)
        {
            FileSignature signature = graph.Bundle.File.Index.Signatures[i];
            GraphProgram inner = graph.Bundle.Programs[i];
            _programs[i] = signature.States.Length == 0
                ? inner
                : new VariableProgram(
                    inner, ownsInner: false, [.. signature.States.Select(s => new VariableUse(_cells[s.State], s.Input, s.Output))], _gate)
                {
                    DefaultOptions = inner.DefaultOptions,
                };
        }
    }

    /// <summary>The names of the values.</summary>
    public IReadOnlyList<string> Names => [.. States.Select(s => s.Name)];

    private FileState[] States => _graph.Bundle.File.Index.States;

    /// <summary>A function over this state; it belongs to this object.</summary>
    /// <param name="signature">Its name, one of <see cref="CompiledGraph.Signatures"/>.</param>
    /// <exception cref="GraphException">GR6113: there is no such signature.</exception>
    public GraphProgram Program(string signature = CompiledGraph.DefaultSignature) => _programs[_graph.Find(signature)];

    /// <summary>A copy of a value, from between two runs.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="GraphException">GR6116: there is no such value.</exception>
    public Literal Read(string name)
    {
        int number = Find(name);
        _gate.Enter(assigns: false, CancellationToken.None);
        try
        {
            return new Literal(States[number].Type, _cells[number].ToArray());
        }
        finally
        {
            _gate.Exit(assigns: false);
        }
    }

    /// <summary>Sets a value between two runs.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="value">A value of its type.</param>
    /// <exception cref="GraphException">GR6116: there is no such value, or it has another type.</exception>
    public void Write(string name, Literal value)
    {
        int number = Find(name);
        if (!value.Type.Equals(States[number].Type))
        {
            throw new GraphException(
                BundleDiagnostics.BadState, $"state '{name}' is {States[number].Type}, it cannot take {value.Type}",
                fix: "cast or reshape the value");
        }
        _gate.Enter(assigns: true, CancellationToken.None);
        try
        {
            fixed (byte* bytes = value.Bytes.Span)
            {
                _cells[number].Set(bytes);
            }
        }
        finally
        {
            _gate.Exit(assigns: true);
        }
    }

    /// <summary>Gives all values their first values again.</summary>
    public void Reset() => SetAll(InitialOf);

    /// <summary>Another state with the present values, which goes its own way from here on.</summary>
    public GraphState Fork()
    {
        GraphState fork = _graph.CreateState();
        _gate.Enter(assigns: false, CancellationToken.None);
        try
        {
            for (int i = 0; i < _cells.Length; i++)
            {
                fork._cells[i].CopyFrom(_cells[i]);
            }
            return fork;
        }
        catch
        {
            fork.Dispose();
            throw;
        }
        finally
        {
            _gate.Exit(assigns: false);
        }
    }

    /// <summary>Frees the values when the runs that use them have ended.</summary>
    public void Dispose() => _gate.Close(() => Array.ForEach(_cells, c => c.Dispose()));

    private delegate byte* ValueOf(int number);

    private void SetAll(ValueOf value)
    {
        _gate.Enter(assigns: true, CancellationToken.None);
        try
        {
            for (int i = 0; i < _cells.Length; i++)
            {
                _cells[i].Set(value(i));
            }
        }
        finally
        {
            _gate.Exit(assigns: true);
        }
    }

    private byte* InitialOf(int number) => States[number].Initial is >= 0 and var offset ? _graph.Bundle.Constants.Pointer + offset : null;

    private int Find(string name)
    {
        for (int i = 0; i < States.Length; i++)
        {
            if (States[i].Name == name)
            {
                return i;
            }
        }
        throw new GraphException(
            BundleDiagnostics.BadState, $"'{_graph.Name}' has no state '{name}'", fix: $"choose from: {string.Join(", ", Names)}");
    }
}
