using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>A program that reads and assigns a session's variables: its last inputs and outputs, which the caller does not see.</summary>
internal sealed unsafe class VariableProgram : GraphProgram
{
    private readonly GraphProgram _inner;
    private readonly VariableStore _store;
    private readonly ImmutableArray<VariableBinding> _bindings;
    private readonly VariableStore.Cell[] _cells;
    private readonly bool _assigns;

    /// <summary>Hides the variables of a program.</summary>
    /// <param name="inner">The compiled graph; it belongs to this program from here on.</param>
    /// <param name="lowered">Says which inputs and outputs are variables.</param>
    /// <param name="outputs">How many outputs the caller sees.</param>
    /// <param name="store">The variables' values.</param>
    public VariableProgram(GraphProgram inner, LoweredGraph lowered, int outputs, VariableStore store)
        : base(inner.Name, inner.Inputs[..lowered.Feeds.Length], inner.Outputs[..outputs], inner.Symbols, [])
    {
        _inner = inner;
        _store = store;
        _bindings = lowered.Variables;
        _cells = [.. _bindings.Select(b => store[b.Variable])];
        _assigns = _bindings.Any(b => b.Output >= 0);
    }

    /// <inheritdoc/>
    public override void Trim() => _inner.Trim();

    internal override void* DefaultOf(int input) => _inner.DefaultOf(input);

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        _store.Enter(_assigns, settings.Cancellation);
        try
        {
            RunLocked(((VariableShapeBinding)binding).Inner, inputs, outputs, settings);
        }
        finally
        {
            _store.Exit(_assigns);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
    }

    private protected override ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols)
    {
        // Variables follow the feeds and have static shapes.
        IEnumerable<long> rest = _inner.Inputs.Skip(Inputs.Length).SelectMany(i => i.Type.Shape.ToStatic());
        ShapeBinding inner = _inner.Bind([.. inputExtents, .. rest]);
        return new VariableShapeBinding
        {
            Inner = inner,
            InputExtents = inputExtents.ToArray(),
            Symbols = symbols,
            OutputShapes = inner.OutputShapes,
            InputBytes = inner.InputBytes,
            OutputBytes = inner.OutputBytes,
        };
    }

    private protected override MemoryUse RunMemory(ShapeBinding binding) =>
        _inner.PredictMemory(((VariableShapeBinding)binding).Inner) with
        {
            Variables = _bindings.Sum(b => b.Variable.Type.SizeInBytes.Value),
            NextValues = _bindings.Where(b => b.Output >= 0).Sum(b => b.Variable.Type.SizeInBytes.Value),
        };

    private void RunLocked(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        int inputCount = _inner.Inputs.Length;
        int outputCount = _inner.Outputs.Length;
        nint[]? rented = null;
        Span<nint> pointers = inputCount + outputCount <= 256
            ? stackalloc nint[inputCount + outputCount]
            : (rented = System.Buffers.ArrayPool<nint>.Shared.Rent(inputCount + outputCount));
        new ReadOnlySpan<nint>(inputs, Inputs.Length).CopyTo(pointers);
        new ReadOnlySpan<nint>(outputs, Outputs.Length).CopyTo(pointers[inputCount..]);
        for (int i = 0; i < _cells.Length; i++)
        {
            if (_bindings[i].Input >= 0)
            {
                pointers[_bindings[i].Input] = (nint)_cells[i].Current;
            }
            if (_bindings[i].Output >= 0)
            {
                pointers[inputCount + _bindings[i].Output] = (nint)_cells[i].Next;
            }
        }
        fixed (nint* all = pointers)
        {
            _inner.Run(binding, (void**)all, (void**)(all + inputCount), settings);
        }
        for (int i = 0; i < _cells.Length; i++)
        {
            if (_bindings[i].Output >= 0)
            {
                _cells[i].Swap();
            }
        }
        if (rented is not null)
        {
            System.Buffers.ArrayPool<nint>.Shared.Return(rented);
        }
    }

    private sealed class VariableShapeBinding : ShapeBinding
    {
        /// <summary>The binding of the program with its variables.</summary>
        public required ShapeBinding Inner { get; init; }
    }
}
