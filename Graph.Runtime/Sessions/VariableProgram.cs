namespace Graphene.Runtime;

/// <summary>A program that reads and assigns variables: inputs and outputs of another one, which the caller does not see.</summary>
internal sealed unsafe class VariableProgram : GraphProgram
{
    private const int MaxStackPointers = 256;
    private readonly GraphProgram _inner;
    private readonly bool _ownsInner;
    private readonly VariableGate _gate;
    private readonly VariableUse[] _variables;
    private readonly int[] _inputs;
    private readonly int[] _outputs;
    private readonly bool _assigns;
    private readonly MemoryPlaces? _places;
    private JoinedPlaces? _joined;

    /// <summary>Hides the variables of a program.</summary>
    /// <param name="inner">The compiled graph.</param>
    /// <param name="ownsInner">Whether it is disposed with this program.</param>
    /// <param name="variables">Says which inputs and outputs are variables, and where these are.</param>
    /// <param name="gate">What runs over these variables go through.</param>
    public VariableProgram(GraphProgram inner, bool ownsInner, VariableUse[] variables, VariableGate gate)
        : this(
            inner, ownsInner, variables, gate, Others(inner.Inputs.Length, variables, ofInputs: true),
            Others(inner.Outputs.Length, variables, ofInputs: false))
    {
    }

    private VariableProgram(
        GraphProgram inner, bool ownsInner, VariableUse[] variables, VariableGate gate, int[] inputs, int[] outputs)
        : base(inner.Name, Pick(inner.InputTable, inputs), Pick(inner.OutputTable, outputs), inner.SymbolTable, [])
    {
        _inner = inner;
        _ownsInner = ownsInner;
        _gate = gate;
        _variables = variables;
        _inputs = inputs;
        _outputs = outputs;
        foreach (VariableUse variable in variables)
        {
            _assigns |= variable.Output >= 0;
        }
        _places = inner.Device is null ? null : PlacesWith(null);
    }

    /// <inheritdoc/>
    public override void Trim() => _inner.Trim();

    internal override GpuDevice? Device => _inner.Device;

    internal override NativeBlock AllocateCallMemory(long bytes) => _inner.AllocateCallMemory(bytes);

    internal override void* DefaultOf(int input) => _inner.DefaultOf(_inputs[input]);

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        _gate.Enter(_assigns, settings.Cancellation);
        try
        {
            RunLocked(((VariableShapeBinding)binding).Inner, inputs, outputs, settings);
        }
        finally
        {
            _gate.Exit(_assigns);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _ownsInner)
        {
            _inner.Dispose();
        }
    }

    private protected override ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols)
    {
        long[] extents = new long[_inner.Binder.ExtentCount];
        foreach (VariableUse variable in _variables)
        {
            if (variable.Input >= 0)
            {
                // Variables have static shapes.
                _inner.Inputs[variable.Input].Type.Shape.ToStatic().CopyTo(extents, _inner.Binder.Start(variable.Input));
            }
        }
        for (int i = 0; i < _inputs.Length; i++)
        {
            inputExtents[Binder.Start(i)..Binder.Start(i + 1)].CopyTo(extents.AsSpan(_inner.Binder.Start(_inputs[i])));
        }
        ShapeBinding inner = _inner.Bind(extents);
        return new VariableShapeBinding
        {
            Inner = inner,
            InputExtents = inputExtents.ToArray(),
            Symbols = symbols,
            OutputShapes = [.. _outputs.Select(o => inner.OutputShapes[o])],
            InputBytes = [.. _inputs.Select(i => inner.InputBytes[i])],
            OutputBytes = [.. _outputs.Select(o => inner.OutputBytes[o])],
        };
    }

    private protected override MemoryUse RunMemory(ShapeBinding binding) =>
        _inner.PredictMemory(((VariableShapeBinding)binding).Inner) with
        {
            Variables = _variables.Sum(v => v.Cell.SizeInBytes),
            NextValues = _variables.Where(v => v.Output >= 0).Sum(v => v.Cell.SizeInBytes),
        };

    private void RunLocked(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        int inputCount = _inner.Inputs.Length;
        int count = inputCount + _inner.Outputs.Length;
        nint[]? rented = null;
        Span<nint> pointers = count <= MaxStackPointers
            ? stackalloc nint[count]
            : (rented = System.Buffers.ArrayPool<nint>.Shared.Rent(count));
        for (int i = 0; i < _inputs.Length; i++)
        {
            pointers[_inputs[i]] = (nint)inputs[i];
        }
        for (int i = 0; i < _outputs.Length; i++)
        {
            pointers[inputCount + _outputs[i]] = (nint)outputs[i];
        }
        foreach (VariableUse variable in _variables)
        {
            if (variable.Input >= 0)
            {
                pointers[variable.Input] = (nint)variable.Cell.Current;
            }
            if (variable.Output >= 0)
            {
                pointers[inputCount + variable.Output] = (nint)variable.Cell.Next;
            }
        }
        fixed (nint* all = pointers)
        {
            if (_places is null)
            {
                _inner.Run(binding, (void**)all, (void**)(all + inputCount), settings);
            }
            else
            {
                _inner.Run(binding, (void**)all, (void**)(all + inputCount), settings with { Places = Join(settings.Places) });
            }
        }
        foreach (VariableUse variable in _variables)
        {
            if (variable.Output >= 0)
            {
                variable.Cell.Swap();
            }
        }
        if (rented is not null)
        {
            System.Buffers.ArrayPool<nint>.Shared.Return(rented);
        }
    }

    // The same object for the same caller, so that nothing is prepared anew.
    private MemoryPlaces Join(MemoryPlaces? outer)
    {
        if (outer is null)
        {
            return _places!;
        }
        if (_joined is not { } joined || !ReferenceEquals(joined.Outer, outer))
        {
            joined = new JoinedPlaces(outer, PlacesWith(outer));
            _joined = joined;
        }
        return joined.All;
    }

    // Variables are on the device.
    private MemoryPlaces PlacesWith(MemoryPlaces? outer)
    {
        var inputs = new MemoryPlace[_inner.Inputs.Length];
        var outputs = new MemoryPlace[_inner.Outputs.Length];
        Array.Fill(inputs, MemoryPlace.Device);
        Array.Fill(outputs, MemoryPlace.Device);
        for (int i = 0; i < _inputs.Length; i++)
        {
            inputs[_inputs[i]] = outer?.Input(i) ?? MemoryPlace.Host;
        }
        for (int i = 0; i < _outputs.Length; i++)
        {
            outputs[_outputs[i]] = outer?.Output(i) ?? MemoryPlace.Host;
        }
        return new MemoryPlaces(inputs, outputs);
    }

    private static int[] Others(int count, VariableUse[] variables, bool ofInputs) =>
        [.. Enumerable.Range(0, count).Where(i => !variables.Any(v => (ofInputs ? v.Input : v.Output) == i))];

    private static T[] Pick<T>(T[] all, int[] numbers) => [.. numbers.Select(n => all[n])];

    private sealed record JoinedPlaces(MemoryPlaces Outer, MemoryPlaces All);

    private sealed class VariableShapeBinding : ShapeBinding
    {
        /// <summary>The binding of the program with its variables.</summary>
        public required ShapeBinding Inner { get; init; }
    }
}
