namespace Graphene.Runtime;

/// <summary>The values of a session's variables, in native memory.</summary>
/// <remarks>
/// A variable has two blocks: runs read the one and write the next value into the other, and a run that succeeded swaps them. So
/// a run that is cancelled or fails changes nothing, and a training step allocates nothing. Runs that assign happen alone; runs
/// that only read happen together.
/// </remarks>
internal sealed unsafe class VariableStore : IDisposable
{
    private const int LookForCancellationMilliseconds = 10;
    private readonly Dictionary<Variable, Cell> _cells = [];
    private readonly ReaderWriterLockSlim _gate = new();
    private bool _disposed; // written with the gate held for writing

    /// <summary>The variable's memory; its initial value is there from the start.</summary>
    public Cell this[Variable variable]
    {
        get
        {
            lock (_cells)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(Session));
                if (!_cells.TryGetValue(variable, out Cell? cell))
                {
                    cell = new Cell(variable);
                    _cells.Add(variable, cell);
                }
                return cell;
            }
        }
    }

    /// <summary>Waits until variables may be used.</summary>
    /// <param name="assigns">Whether they will be assigned, which happens alone, or only read.</param>
    /// <param name="cancellation">Stops waiting: the run before may be a long one.</param>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Enter(bool assigns, CancellationToken cancellation)
    {
        while (!(assigns
            ? _gate.TryEnterWriteLock(LookForCancellationMilliseconds)
            : _gate.TryEnterReadLock(LookForCancellationMilliseconds)))
        {
            cancellation.ThrowIfCancellationRequested();
        }
        if (_disposed)
        {
            Exit(assigns);
            throw new ObjectDisposedException(nameof(Session));
        }
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public void Exit(bool assigns)
    {
        if (assigns)
        {
            _gate.ExitWriteLock();
        }
        else
        {
            _gate.ExitReadLock();
        }
    }

    /// <summary>Copies of the present values, all from between the same two runs.</summary>
    public Literal[] Read(IReadOnlyList<Variable> variables)
    {
        Cell[] cells = [.. variables.Select(v => this[v])];
        Enter(assigns: false, CancellationToken.None);
        try
        {
            return
            [
                .. variables.Select((v, i) => new Literal(
                    v.Type, new ReadOnlySpan<byte>(cells[i].Current, v.InitialValue.Bytes.Length).ToArray())),
            ];
        }
        finally
        {
            Exit(assigns: false);
        }
    }

    /// <summary>Sets values, which have their variables' types; no run sees some of them without the others.</summary>
    public void Write(IReadOnlyList<(Variable Variable, Literal Value)> values)
    {
        Cell[] cells = [.. values.Select(v => this[v.Variable])];
        Enter(assigns: true, CancellationToken.None);
        try
        {
            for (int i = 0; i < cells.Length; i++)
            {
                ReadOnlySpan<byte> bytes = values[i].Value.Bytes.Span;
                bytes.CopyTo(new Span<byte>(cells[i].Current, bytes.Length));
            }
        }
        finally
        {
            Exit(assigns: true);
        }
    }

    /// <summary>Frees all variables, when the runs that use them have ended.</summary>
    public void Dispose()
    {
        _gate.EnterWriteLock(); // never disposed itself: a late run must find that there is nothing any more
        try
        {
            lock (_cells)
            {
                _disposed = true;
                foreach (Cell cell in _cells.Values)
                {
                    cell.Dispose();
                }
                _cells.Clear();
            }
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }

    /// <summary>The two blocks of a variable.</summary>
    internal sealed class Cell : IDisposable
    {
        private NativeBlock _current;
        private NativeBlock? _next;

        public Cell(Variable variable)
        {
            ReadOnlySpan<byte> initial = variable.InitialValue.Bytes.Span;
            _current = NativeBlock.Allocate(initial.Length);
            initial.CopyTo(_current.Bytes(0, initial.Length));
        }

        /// <summary>The present value.</summary>
        public byte* Current => _current.Pointer;

        /// <summary>Where the next value goes; allocated when the variable is assigned first.</summary>
        public byte* Next => (_next ??= NativeBlock.Allocate((long)_current.Length)).Pointer;

        /// <summary>Makes the next value the present one.</summary>
        public void Swap() => (_current, _next) = (_next!, _current);

        /// <inheritdoc/>
        public void Dispose()
        {
            _current.Dispose();
            _next?.Dispose();
        }
    }
}
