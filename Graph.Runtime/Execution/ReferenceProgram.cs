namespace Graphene.Runtime;

/// <summary>A graph that the reference evaluator runs: slow, obvious, and the same interface as compiled
/// code.</summary>
internal sealed unsafe class ReferenceProgram : GraphProgram
{
    private readonly Module _module;

    /// <summary>Prepares a module.</summary>
    public ReferenceProgram(Module module)
        : base(
            module.Name,
            [.. module.InputNames.Select((name, i) => new InputSpec(name, module.Entry.Parameters[i].Type))],
            [.. module.OutputNames.Select((name, i) => new OutputSpec(name, module.Entry.Results[i].Type, i))],
            [.. module.Symbols],
            [.. ShapeCheck.Collect(module)])
    {
        _module = module;
    }

    internal override void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        var arguments = new Literal[Inputs.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            ReadOnlySpan<long> shape = binding.InputExtents.AsSpan(Binder.Start(i), Inputs[i].Type.Rank);
            byte[] bytes = new ReadOnlySpan<byte>(inputs[i], checked((int)binding.InputBytes[i])).ToArray();
            arguments[i] = new Literal(new TensorType(Inputs[i].Type.DType, Shape.Of(shape)), bytes);
        }
        Literal[] results = Evaluator.Evaluate(((ReferenceBinding)binding).Entry, arguments, settings.Cancellation);
        for (int i = 0; i < results.Length; i++)
        {
            results[i].Bytes.Span.CopyTo(new Span<byte>(outputs[i], checked((int)binding.OutputBytes[i])));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Nothing but managed memory is held.
    }

    private protected override ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols)
    {
        var values = new Dictionary<string, long>();
        for (int i = 0; i < symbols.Length; i++)
        {
            values.Add(Symbols[i].Name, symbols[i]);
        }
        long[][] outputShapes = OutputShapes(symbols);
        return new ReferenceBinding
        {
            InputExtents = inputExtents.ToArray(),
            Symbols = symbols,
            OutputShapes = outputShapes,
            InputBytes = InputBytes(inputExtents),
            OutputBytes = OutputBytes(outputShapes),
            Entry = values.Count == 0 ? _module.Entry : Specialization.Apply(_module, values).Entry,
        };
    }

    private protected override MemoryUse RunMemory(ShapeBinding binding) => new();

    private sealed class ReferenceBinding : ShapeBinding
    {
        /// <summary>The graph with numbers for all symbols.</summary>
        public required Computation Entry { get; init; }
    }
}
