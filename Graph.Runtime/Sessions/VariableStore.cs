namespace Graphene.Runtime;

/// <summary>The values of a session's variables, in native memory.</summary>
/// <remarks>
/// A variable has two blocks: runs read the one and write the next value into the other, and a run that succeeded swaps them. So
/// a run that is cancelled or fails changes nothing, and a training step allocates nothing. Runs that assign happen alone; runs
/// that only read happen together.
/// </remarks>
internal sealed unsafe class VariableStore : IDisposable
{
    private readonly Dictionary<Variable, Cell> _cells = [];

    /// <summary>Held for reading by runs that read variables, for writing by runs that assign them.</summary>
    public ReaderWriterLockSlim Gate { get; } = new();

    /// <summary>The variable's memory; its initial value is there from the start.</summary>
    public Cell this[Variable variable]
    {
        get
        {
            lock (_cells)
            {
                if (!_cells.TryGetValue(variable, out Cell? cell))
                {
                    cell = new Cell(variable);
                    _cells.Add(variable, cell);
                }
                return cell;
            }
        }
    }

    /// <summary>A copy of the present value.</summary>
    public Literal Read(Variable variable)
    {
        Cell cell = this[variable];
        Gate.EnterReadLock();
        try
        {
            return new Literal(variable.Type, new ReadOnlySpan<byte>(cell.Current, variable.InitialValue.Bytes.Length).ToArray());
        }
        finally
        {
            Gate.ExitReadLock();
        }
    }

    /// <summary>Sets the value, which has the variable's type.</summary>
    public void Write(Variable variable, Literal value)
    {
        Cell cell = this[variable];
        Gate.EnterWriteLock();
        try
        {
            value.Bytes.Span.CopyTo(new Span<byte>(cell.Current, value.Bytes.Length));
        }
        finally
        {
            Gate.ExitWriteLock();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_cells)
        {
            foreach (Cell cell in _cells.Values)
            {
                cell.Dispose();
            }
            _cells.Clear();
        }
        Gate.Dispose();
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
