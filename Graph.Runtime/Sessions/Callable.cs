using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>A compiled plan without the lookups of
/// <see cref="Session.Run(IReadOnlyList{string}, IReadOnlyDictionary{string, Feed}, CancellationToken)"/>: inputs and
/// outputs go by position.</summary>
/// <remarks>
/// Thread-safe, and independent of the session's plan cache. Running allocates no managed memory, unless it fails or a
/// combination of
/// shapes is seen for the first time; memory that spans point to is used in place.
/// </remarks>
public sealed unsafe class Callable : IDisposable
{
    private const int MaxStackExtents = 64;
    private readonly IDisposable? _lease;
    private readonly RunSettings _settings;
    private volatile bool _disposed;

    internal Callable(GraphProgram program, IDisposable? lease, RunSettings settings)
    {
        Program = program;
        _lease = lease;
        _settings = settings;
    }

    /// <summary>The inputs, in the order in which they are passed.</summary>
    public ImmutableArray<InputSpec> Inputs => Program.Inputs;

    /// <summary>The outputs, in the order in which they were fetched.</summary>
    public ImmutableArray<OutputSpec> Outputs => Program.Outputs;

    internal GraphProgram Program { get; }

    /// <summary>Fixes the shapes and makes memory for all inputs and outputs.</summary>
    /// <param name="inputShapes">One shape per input; none at all when every input has a static shape.</param>
    /// <exception cref="GraphException">GR6201: the shapes do not fit.</exception>
    public BoundCall Bind(params ReadOnlySpan<long[]> inputShapes) => new(this, BindingOf(inputShapes));

    /// <summary>The native memory that the plan takes, bound and run by one thread at a time: exact, and known before it runs.</summary>
    /// <param name="inputShapes">One shape per input; none at all when every input has a static shape.</param>
    /// <exception cref="GraphException">GR6201: the shapes do not fit.</exception>
    public MemoryUse PredictMemory(params ReadOnlySpan<long[]> inputShapes) => Program.PredictMemory(BindingOf(inputShapes));

    /// <summary>Runs a plan with one input and one output.</summary>
    /// <param name="input">The elements; one symbolic dimension follows from their number.</param>
    /// <param name="output">Receives the elements; may be longer than they are.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <exception cref="GraphException">The elements do not fit, or a check in the graph failed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised; the output holds nothing useful.</exception>
    public void Run<TIn, TOut>(ReadOnlySpan<TIn> input, Span<TOut> output, CancellationToken cancellation = default)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        fixed (TIn* in0 = input)
        {
            fixed (TOut* out0 = output)
            {
                var first = CallMemory.Of(in0, input.Length);
                RunOn(&first, 1, CallMemory.Of(out0, output.Length), cancellation);
            }
        }
    }

    /// <summary>
    /// Runs a plan with one input and one output, both of f32: what is most usual needs nothing that a
    /// process compiles first.
    /// </summary>
    /// <inheritdoc cref="Run{TIn, TOut}(ReadOnlySpan{TIn}, Span{TOut}, CancellationToken)"/>
    public void Run(ReadOnlySpan<float> input, Span<float> output, CancellationToken cancellation = default)
    {
        fixed (float* in0 = input)
        {
            fixed (float* out0 = output)
            {
                var first = new CallMemory(DType.F32, in0, input.Length);
                RunOn(&first, 1, new CallMemory(DType.F32, out0, output.Length), cancellation);
            }
        }
    }

    /// <summary>Runs a plan with two inputs and one output.</summary>
    /// <inheritdoc cref="Run{TIn, TOut}(ReadOnlySpan{TIn}, Span{TOut}, CancellationToken)"/>
    /// <param name="first">The elements of the first input.</param>
    /// <param name="second">The elements of the second input.</param>
    /// <param name="output">Receives the elements; may be longer than they are.</param>
    /// <param name="cancellation">Stops the run.</param>
    public void Run<T0, T1, TOut>(
        ReadOnlySpan<T0> first, ReadOnlySpan<T1> second, Span<TOut> output, CancellationToken cancellation = default)
        where T0 : unmanaged
        where T1 : unmanaged
        where TOut : unmanaged
    {
        fixed (T0* in0 = first)
        {
            fixed (T1* in1 = second)
            {
                fixed (TOut* out0 = output)
                {
                    CallMemory* inputs = stackalloc CallMemory[2];
                    inputs[0] = CallMemory.Of(in0, first.Length);
                    inputs[1] = CallMemory.Of(in1, second.Length);
                    RunOn(inputs, 2, CallMemory.Of(out0, output.Length), cancellation);
                }
            }
        }
    }

    /// <summary>Lets go of the plan.</summary>
    public void Dispose()
    {
        _disposed = true;
        _lease?.Dispose();
    }

    internal RunSettings Settings(CancellationToken cancellation) => _settings with { Cancellation = cancellation };

    private ShapeBinding BindingOf(ReadOnlySpan<long[]> inputShapes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (inputShapes.Length != Program.InputTable.Length && inputShapes.Length > 0)
        {
            throw new ArgumentException($"{inputShapes.Length} shapes for {Program.InputTable.Length} inputs", nameof(inputShapes));
        }
        long[] extents = new long[Program.Binder.ExtentCount];
        for (int i = 0; i < Program.InputTable.Length; i++)
        {
            long[] shape = inputShapes.IsEmpty ? StaticShape(Program.InputTable[i]) : inputShapes[i];
            InputShapes.Copy(Program.InputTable[i], shape, extents.AsSpan(Program.Binder.Start(i), Program.InputTable[i].Type.Rank));
        }
        return Program.Bind(extents);
    }

    private static long[] StaticShape(InputSpec input) => input.Type.Shape.IsStatic
        ? input.Type.Shape.ToStatic()
        : throw new GraphException(
            RuntimeDiagnostics.ShapeMismatch, $"input '{input.Name}': {input.Type} has no shape yet",
            why: "it has a symbolic dimension", fix: "pass the shapes of all inputs");

    // All of a run that does not depend on the elements' types: generic code is compiled in every process anew, this only once. Internal,
    // because the precompiler leaves out private methods that only generic ones call.
    internal void RunOn(CallMemory* inputs, int count, CallMemory output, CancellationToken cancellation)
    {
        RequireCounts(count, 1);
        Span<long> extents = stackalloc long[MaxStackExtents];
        extents = Extents(extents);
        void** places = stackalloc void*[count];
        for (int i = 0; i < count; i++)
        {
            Feed(i, inputs[i], extents);
            places[i] = inputs[i].Place;
        }
        ShapeBinding binding = Program.Bind(extents);
        RequireRoom(0, output, binding);
        void* result = output.Place;
        Program.Run(binding, places, &result, Settings(cancellation));
    }

    private void RequireCounts(int inputs, int outputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Program.InputTable.Length != inputs || Program.OutputTable.Length != outputs)
        {
            throw new InvalidOperationException(
                $"the plan has {Program.InputTable.Length} inputs and {Program.OutputTable.Length} outputs, "
                + $"not {inputs} and {outputs}; use Bind");
        }
    }

    private Span<long> Extents(Span<long> buffer)
    {
        int count = Program.Binder.ExtentCount;
        return count <= buffer.Length ? buffer[..count] : new long[count];
    }

    private void Feed(int input, CallMemory memory, Span<long> extents)
    {
        InputSpec spec = Program.InputTable[input];
        InputShapes.RequireType("input", spec.Name, spec.Type, memory.Type);
        InputShapes.Infer(spec, memory.Count, extents.Slice(Program.Binder.Start(input), spec.Type.Rank));
    }

    private void RequireRoom(int output, CallMemory memory, ShapeBinding binding)
    {
        OutputSpec spec = Program.OutputTable[output];
        InputShapes.RequireType("output", spec.Name, spec.Type, memory.Type);
        int size = memory.Type.SizeInBytes();
        if ((long)memory.Count * size < binding.OutputBytes[output])
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch,
                $"output '{spec.Name}': {binding.OutputBytes[output] / size} elements do not fit into {memory.Count}",
                fix: "pass memory for all elements of the output");
        }
    }

    /// <summary>A caller's memory, pinned.</summary>
    internal readonly struct CallMemory(DType type, void* place, int count)
    {
        public DType Type { get; } = type;

        public void* Place { get; } = place;

        public int Count { get; } = count;

        public static CallMemory Of<T>(T* place, int count)
            where T : unmanaged => new(DTypeFacts.Of<T>(), place, count);
    }
}
