using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>A graph that can be run: machine code, or the reference evaluator behind the same face.</summary>
/// <remarks>
/// Thread-safe: any number of runs at a time, each with scratch memory of its own. A run that is in progress when the
/// program is
/// disposed finishes; memory is freed after it.
/// </remarks>
public abstract unsafe class GraphProgram : IDisposable
{
    private const int MaxBindings = 64;
    private readonly BindingCache _bindings = new(MaxBindings);

    private protected GraphProgram(
        string name,
        InputSpec[] inputs,
        OutputSpec[] outputs,
        DimSymbol[] symbols,
        ShapeCheck[] checks)
    {
        Name = name;
        InputTable = inputs;
        OutputTable = outputs;
        SymbolTable = symbols;
        Binder = new SignatureBinder(inputs, outputs, symbols, checks);
    }

    /// <summary>The name of the graph.</summary>
    public string Name { get; }

    /// <summary>What is fed.</summary>
    public ImmutableArray<InputSpec> Inputs => ImmutableCollectionsMarshal.AsImmutableArray(InputTable);

    /// <summary>What comes out.</summary>
    public ImmutableArray<OutputSpec> Outputs => ImmutableCollectionsMarshal.AsImmutableArray(OutputTable);

    /// <summary>The symbolic dimensions.</summary>
    public ImmutableArray<DimSymbol> Symbols => ImmutableCollectionsMarshal.AsImmutableArray(SymbolTable);

    /// <summary>What is fed; see <see cref="ExecutablePlan.InputTable"/>.</summary>
    internal InputSpec[] InputTable { get; }

    /// <summary>What comes out.</summary>
    internal OutputSpec[] OutputTable { get; }

    /// <summary>The symbolic dimensions.</summary>
    internal DimSymbol[] SymbolTable { get; }

    internal SignatureBinder Binder { get; }

    /// <summary>How it runs when nobody says how.</summary>
    internal RunOptions DefaultOptions { get; init; } = RunOptions.Default;

    /// <summary>Bytes of scratch memory that a run needs.</summary>
    /// <param name="inputShapes">The shape of each input.</param>
    /// <exception cref="GraphException">GR6201: the shapes do not fit.</exception>
    public long ScratchBytes(params ReadOnlySpan<long[]> inputShapes) => PredictMemory(inputShapes).Arena;

    /// <summary>The native memory that the program takes, one run at a time.</summary>
    /// <param name="inputShapes">The shape of each input.</param>
    /// <exception cref="GraphException">GR6201: the shapes do not fit.</exception>
    public MemoryUse PredictMemory(params ReadOnlySpan<long[]> inputShapes)
    {
        int count = 0;
        foreach (long[] shape in inputShapes)
        {
            count += shape.Length;
        }
        if (count != Binder.ExtentCount)
        {
            throw new ArgumentException($"{count} extents for {Binder.ExtentCount} dimensions", nameof(inputShapes));
        }
        long[] extents = new long[count];
        count = 0;
        foreach (long[] shape in inputShapes)
        {
            Array.Copy(shape, 0, extents, count, shape.Length);
            count += shape.Length;
        }
        return PredictMemory(Bind(extents));
    }

    /// <summary>Computes all outputs from inputs.</summary>
    /// <param name="feeds">Values of the inputs by name; those that have a default may be left out.</param>
    /// <param name="options">How to run.</param>
    /// <param name="cancellation">Stops the run; the program stays usable.</param>
    /// <returns>One value per output, in order.</returns>
    /// <exception cref="GraphException">A value is missing or does not fit, or a check in the graph failed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public Literal[] Run(
        IReadOnlyDictionary<string, Feed> feeds, RunOptions? options = null, CancellationToken cancellation = default)
    {
        foreach (string name in feeds.Keys)
        {
            if (!Inputs.Any(i => i.Name == name))
            {
                throw new GraphException(
                    RuntimeDiagnostics.BadFeed, $"there is no input '{name}' in '{Name}'",
                    fix: $"choose from: {string.Join(", ", Inputs.Select(i => i.Name))}");
            }
        }
        return FedRun.Run(this, feeds, (options ?? DefaultOptions).Settings(cancellation));
    }

    /// <summary>Like Run, on another thread. A token that is cancelled already starts nothing.</summary>
    /// <inheritdoc cref="Run(IReadOnlyDictionary{string, Feed}, RunOptions?, CancellationToken)"/>
    public Task<Literal[]> RunAsync(
        IReadOnlyDictionary<string, Feed> feeds, RunOptions? options = null, CancellationToken cancellation = default) =>
        cancellation.IsCancellationRequested
            ? Task.FromCanceled<Literal[]>(cancellation)
            : Task.Run(() => Run(feeds, options, cancellation), cancellation);

    /// <summary>Makes a callable that passes inputs and outputs by position and allocates nothing per run.</summary>
    /// <param name="options">How to run.</param>
    /// <returns>A callable, to be disposed before the program.</returns>
    public Callable MakeCallable(RunOptions? options = null) =>
        new(this, null, (options ?? DefaultOptions).Settings(CancellationToken.None));

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the program holds.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Frees scratch memory that no run uses now.</summary>
    public virtual void Trim()
    {
    }

    /// <summary>The device whose memory inputs and outputs may be in; null for one that works in the host's.</summary>
    internal virtual GpuDevice? Device => null;

    /// <summary>Memory for an input or output that runs again and again; content is anything.</summary>
    internal virtual NativeBlock AllocateCallMemory(long bytes) => NativeBlock.Allocate(bytes);

    /// <summary>The default value of an input, or null.</summary>
    internal virtual void* DefaultOf(int input) => null;

    internal ShapeBinding Bind(ReadOnlySpan<long> inputExtents)
    {
        if (_bindings.Find(inputExtents) is { } known)
        {
            return known;
        }
        long[] symbols = new long[SymbolTable.Length];
        Binder.Bind(inputExtents, symbols);
        ShapeBinding binding = CreateBinding(inputExtents, symbols);
        _bindings.Add(binding);
        return binding;
    }

    /// <summary>
    /// Runs once. Every input and output points to as many bytes as the binding says, in the memory that <see cref="RunSettings.Places"/>
    /// says.
    /// </summary>
    internal abstract void Run(ShapeBinding binding, void** inputs, void** outputs, in RunSettings settings);

    private protected abstract ShapeBinding CreateBinding(ReadOnlySpan<long> inputExtents, long[] symbols);

    internal MemoryUse PredictMemory(ShapeBinding binding) =>
        RunMemory(binding) with
        {
            Inputs = binding.InputBytes.Take(InputTable.Length).Sum(), // variables may follow
            Outputs = binding.OutputBytes.Take(OutputTable.Length).Sum(),
        };

    // What is there besides inputs and outputs.
    private protected abstract MemoryUse RunMemory(ShapeBinding binding);

    private protected long[][] OutputShapes(long[] symbols)
    {
        var shapes = new long[OutputTable.Length][];
        for (int i = 0; i < shapes.Length; i++)
        {
            shapes[i] = Binder.OutputShape(i, symbols);
        }
        return shapes;
    }

    private protected long[] InputBytes(ReadOnlySpan<long> extents)
    {
        long[] bytes = new long[InputTable.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = SizeInBytes(InputTable[i].Type, extents[Binder.Start(i)..Binder.Start(i + 1)]);
        }
        return bytes;
    }

    private protected long[] OutputBytes(long[][] shapes)
    {
        long[] bytes = new long[shapes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = SizeInBytes(OutputTable[i].Type, shapes[i]);
        }
        return bytes;
    }

    private static long SizeInBytes(TensorType type, ReadOnlySpan<long> shape)
    {
        try
        {
            long size = type.DType.SizeInBytes();
            foreach (long extent in shape)
            {
                size = checked(size * extent);
            }
            return size;
        }
        catch (OverflowException e)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch, $"a tensor of type {type} would be larger than memory can be",
                fix: "feed smaller tensors", inner: e);
        }
    }
}
