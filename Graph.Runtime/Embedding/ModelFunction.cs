using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>One function of a compiled graph behind the methods of a generated class: by position, typed, without allocations.</summary>
/// <remarks>Thread-safe. It belongs to the compiled graph and needs no disposal of its own.</remarks>
public sealed unsafe class ModelFunction
{
    private const int MaxStackExtents = 64;
    private readonly Callable _callable;
    private readonly int[] _symbolPositions;

    /// <summary>Finds the function and checks that it is the one that the class was generated for.</summary>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="signature">The name of the function.</param>
    /// <param name="expected">Its text as <see cref="ModelSignature.Describe"/> gives it.</param>
    /// <param name="options">How to run.</param>
    /// <exception cref="GraphException">GR6151: the graph has no such function, or another one of that name.</exception>
    public ModelFunction(CompiledGraph graph, string signature, string expected, RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (!graph.Signatures.Contains(signature))
        {
            throw Mismatch(
                $"'{graph.Name}' has no function '{signature}'", $"its functions are {string.Join(", ", graph.Signatures)}");
        }
        GraphProgram program = graph.Program(signature);
        string actual = ModelSignature.Describe(program.Inputs, program.Outputs);
        if (actual != expected)
        {
            throw Mismatch($"'{signature}' of '{graph.Name}' is {actual}", $"the class was generated for {expected}");
        }
        _callable = program.MakeCallable(options);
        _symbolPositions = [.. ModelSignature.Symbols(program.Inputs).Select(s => program.Symbols.IndexOf(s))];
    }

    /// <summary>The inputs, in the order in which they are passed.</summary>
    public ImmutableArray<InputSpec> Inputs => _callable.Inputs;

    /// <summary>The outputs.</summary>
    public ImmutableArray<OutputSpec> Outputs => _callable.Outputs;

    internal InputSpec[] InputTable => _callable.Program.InputTable;

    internal OutputSpec[] OutputTable => _callable.Program.OutputTable;

    internal int SlotCount => InputTable.Length + OutputTable.Length;

    /// <summary>Begins a run; symbolic dimensions follow from the numbers of elements.</summary>
    public ModelCall Begin() => new(this, null);

    /// <summary>Begins a run with given symbolic dimensions.</summary>
    /// <param name="symbols">Their values, in the order of <see cref="ModelSignature.Symbols"/>.</param>
    /// <exception cref="GraphException">GR6201: a value is out of its bounds.</exception>
    public ModelCall Begin(scoped ReadOnlySpan<long> symbols) => new(this, BindSymbols(symbols));

    /// <summary>Makes a call whose inputs and outputs have memory of their own.</summary>
    /// <param name="symbols">The symbolic dimensions, in the order of <see cref="ModelSignature.Symbols"/>.</param>
    /// <exception cref="GraphException">GR6201: a value is out of its bounds.</exception>
    public BoundCall Bind(params ReadOnlySpan<long> symbols) => new(_callable, BindSymbols(symbols));

    internal void RequireSlots()
    {
        if (SlotCount > CallSlots.Count)
        {
            throw new InvalidOperationException(
                $"{SlotCount} inputs and outputs are more than the {CallSlots.Count} that one call takes; use Bind");
        }
    }

    internal ShapeBinding BindLengths(ReadOnlySpan<int> lengths)
    {
        SignatureBinder binder = _callable.Program.Binder;
        Span<long> extents = binder.ExtentCount <= MaxStackExtents ? stackalloc long[MaxStackExtents] : new long[binder.ExtentCount];
        extents = extents[..binder.ExtentCount];
        for (int i = 0; i < InputTable.Length; i++)
        {
            InputSpec input = InputTable[i];
            InputShapes.Infer(input, lengths[i], extents.Slice(binder.Start(i), input.Type.Rank));
        }
        return _callable.Program.Bind(extents);
    }

    internal void Run(ShapeBinding binding, void** inputs, void** outputs, CancellationToken cancellation) =>
        _callable.Program.Run(binding, inputs, outputs, _callable.Settings(cancellation));

    private ShapeBinding BindSymbols(ReadOnlySpan<long> symbols)
    {
        if (symbols.Length != _symbolPositions.Length)
        {
            throw new ArgumentException($"{symbols.Length} values for {_symbolPositions.Length} symbolic dimensions", nameof(symbols));
        }
        SignatureBinder binder = _callable.Program.Binder;
        Span<long> values = symbols.Length <= MaxStackExtents ? stackalloc long[MaxStackExtents] : new long[symbols.Length];
        values = values[..symbols.Length];
        for (int i = 0; i < symbols.Length; i++)
        {
            values[_symbolPositions[i]] = symbols[i];
        }
        Span<long> extents = binder.ExtentCount <= MaxStackExtents ? stackalloc long[MaxStackExtents] : new long[binder.ExtentCount];
        extents = extents[..binder.ExtentCount];
        binder.Extents(values, extents);
        return _callable.Program.Bind(extents);
    }

    private static GraphException Mismatch(string what, string why) => new(
        RuntimeDiagnostics.WrongModel, what, why: why,
        fix: "build the project again, so that class and bundle are made from one model");
}
