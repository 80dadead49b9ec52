using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>A call whose inputs and outputs have fixed shapes and fixed memory: the cheapest way to run again and
/// again.</summary>
/// <remarks>
/// <para>
/// By default the call owns native memory for every input and output, which starts as zeros or as the input's default;
/// <see cref="UseInput{T}"/> and <see cref="UseOutput{T}"/> put
/// the caller's memory in its place, without copies.
/// </para>
/// <para>Running allocates no managed memory. One thread at a time uses a bound call; make one per thread.</para>
/// </remarks>
public sealed unsafe class BoundCall : IDisposable
{
    private readonly Callable _callable;
    private readonly ShapeBinding _binding;
    private readonly CallMemory _memory;
    private readonly NativeBlock?[] _inputs;
    private readonly NativeBlock?[] _outputs;
    private MemoryPlaces? _places;
    private bool _disposed;

    internal BoundCall(Callable callable, ShapeBinding binding)
    {
        _callable = callable;
        _binding = binding;
        _memory = new CallMemory(callable.Program.InputTable.Length, callable.Program.OutputTable.Length);
        _inputs = new NativeBlock?[callable.Program.InputTable.Length];
        _outputs = new NativeBlock?[callable.Program.OutputTable.Length];
        _places = callable.Program.Device is null ? null : MemoryPlaces.All(MemoryPlace.Pinned, _inputs.Length, _outputs.Length);
        for (int i = 0; i < _inputs.Length; i++)
        {
            NativeBlock block = callable.Program.AllocateCallMemory(binding.InputBytes[i]);
            void* value = callable.Program.DefaultOf(i);
            if (value is null)
            {
                NativeMemory.Clear(block.Pointer, block.Length);
            }
            else
            {
                NativeMemory.Copy(value, block.Pointer, block.Length);
            }
            _inputs[i] = block;
            _memory.SetInput(i, block.Pointer);
        }
        for (int i = 0; i < _outputs.Length; i++)
        {
            NativeBlock block = callable.Program.AllocateCallMemory(binding.OutputBytes[i]);
            NativeMemory.Clear(block.Pointer, block.Length);
            _outputs[i] = block;
            _memory.SetOutput(i, block.Pointer);
        }
    }

    /// <summary>The shape of an input.</summary>
    public ReadOnlySpan<long> InputShape(int input)
    {
        SignatureBinder binder = _callable.Program.Binder;
        return _binding.InputExtents.AsSpan(binder.Start(input), binder.Start(input + 1) - binder.Start(input));
    }

    /// <summary>The shape of an output.</summary>
    public ReadOnlySpan<long> OutputShape(int output) => _binding.OutputShapes[output];

    /// <summary>The elements of an input, to be written before a run.</summary>
    /// <exception cref="GraphException">GR6205: the element type differs.</exception>
    /// <exception cref="InvalidOperationException">The input uses the caller's memory.</exception>
    public Span<T> Input<T>(int input)
        where T : unmanaged
    {
        InputSpec spec = _callable.Program.InputTable[input];
        InputShapes.RequireType("input", spec.Name, spec.Type, DTypeFacts.Of<T>());
        return View<T>(_inputs[input]);
    }

    /// <summary>The elements of an output, valid after a run and until the next.</summary>
    /// <exception cref="GraphException">GR6205: the element type differs.</exception>
    /// <exception cref="InvalidOperationException">The output uses the caller's memory.</exception>
    public ReadOnlySpan<T> Output<T>(int output)
        where T : unmanaged
    {
        OutputSpec spec = _callable.Program.OutputTable[output];
        InputShapes.RequireType("output", spec.Name, spec.Type, DTypeFacts.Of<T>());
        return View<T>(_outputs[output]);
    }

    /// <summary>The elements of an output by their indices, valid after a run and until the next.</summary>
    /// <exception cref="GraphException">GR6205: the element type differs.</exception>
    /// <exception cref="ArgumentException">The output has no dimensions, or more than four.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // for the view's sake, see its constructor
    public ElementView<T> OutputView<T>(int output)
        where T : unmanaged => new(Output<T>(output), OutputShape(output));

    /// <summary>Reads an input from the caller's memory from now on; it stays pinned until this call is
    /// disposed.</summary>
    /// <exception cref="GraphException">GR6201, GR6205: the memory does not fit the input.</exception>
    public void UseInput<T>(int input, ReadOnlyMemory<T> elements)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        InputSpec spec = _callable.Program.InputTable[input];
        InputShapes.RequireType("input", spec.Name, spec.Type, DTypeFacts.Of<T>());
        RequireBytes("input", spec.Name, (long)elements.Length * sizeof(T), _binding.InputBytes[input]);
        _memory.SetInput(input, new ElementBytes<T>(elements).Memory);
        _places = _places?.WithInput(input, MemoryPlace.Host);
        Forget(_inputs, input);
    }

    /// <summary>Writes an output into the caller's memory from now on; it stays pinned until this call is
    /// disposed.</summary>
    /// <exception cref="GraphException">GR6201, GR6205: the memory does not fit the output.</exception>
    public void UseOutput<T>(int output, Memory<T> elements)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        OutputSpec spec = _callable.Program.OutputTable[output];
        InputShapes.RequireType("output", spec.Name, spec.Type, DTypeFacts.Of<T>());
        RequireBytes("output", spec.Name, (long)elements.Length * sizeof(T), _binding.OutputBytes[output]);
        _memory.SetOutput(output, new ElementBytes<T>(elements).Memory);
        _places = _places?.WithOutput(output, MemoryPlace.Host);
        Forget(_outputs, output);
    }

    /// <summary>Reads an input from memory of the program's device from now on: nothing is copied. The tensor outlives this call.</summary>
    /// <exception cref="GraphException">GR6201, GR6205: the tensor does not fit the input.</exception>
    /// <exception cref="ArgumentException">The tensor is on another device.</exception>
    public void UseInput(int input, DeviceTensor tensor)
    {
        InputSpec spec = _callable.Program.InputTable[input];
        InputShapes.RequireType("input", spec.Name, spec.Type, tensor.DType);
        RequireBytes("input", spec.Name, tensor.SizeInBytes, _binding.InputBytes[input]);
        _places = PlacesFor(tensor).WithInput(input, MemoryPlace.Device);
        _memory.SetInput(input, tensor.Address);
        Forget(_inputs, input);
    }

    /// <summary>
    /// Writes an output into memory of the program's device from now on: nothing is copied. The tensor
    /// outlives this call.
    /// </summary>
    /// <exception cref="GraphException">GR6201, GR6205: the tensor does not fit the output.</exception>
    /// <exception cref="ArgumentException">The tensor is on another device.</exception>
    public void UseOutput(int output, DeviceTensor tensor)
    {
        OutputSpec spec = _callable.Program.OutputTable[output];
        InputShapes.RequireType("output", spec.Name, spec.Type, tensor.DType);
        RequireBytes("output", spec.Name, tensor.SizeInBytes, _binding.OutputBytes[output]);
        _places = PlacesFor(tensor).WithOutput(output, MemoryPlace.Device);
        _memory.SetOutput(output, tensor.Address);
        Forget(_outputs, output);
    }

    /// <summary>Runs once with what is in the inputs now.</summary>
    /// <exception cref="OperationCanceledException">The token was raised; the outputs hold nothing useful.</exception>
    /// <exception cref="GraphException">A check or an assertion in the graph failed.</exception>
    public void Run(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _memory.Run(_callable.Program, _binding, _callable.Settings(cancellation) with { Places = _places });
        GC.KeepAlive(this); // its memory is read and written until here, even if this was the last anybody wanted of it
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _memory.Dispose();
        Array.ForEach(_inputs, b => b?.Dispose());
        Array.ForEach(_outputs, b => b?.Dispose());
    }

    // The call's own memory, now that the caller's takes its place.
    private static void Forget(NativeBlock?[] blocks, int place)
    {
        blocks[place]?.Dispose();
        blocks[place] = null;
    }

    private MemoryPlaces PlacesFor(DeviceTensor tensor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _places is { } places && ReferenceEquals(_callable.Program.Device, tensor.Device)
            ? places
            : throw new ArgumentException(
                $"the tensor is on {tensor.Device.Name}, and '{_callable.Program.Name}' does not run there", nameof(tensor));
    }

    private Span<T> View<T>(NativeBlock? block)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return block is null
            ? throw new InvalidOperationException("the elements are in the caller's memory")
            : new Span<T>(block.Pointer, checked((int)(block.Length / (nuint)sizeof(T))));
    }

    private static void RequireBytes(string what, string name, long given, long needed)
    {
        if (given != needed)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch,
                $"{what} '{name}': memory of {given} bytes was given, it has {needed} bytes",
                fix: "give memory for exactly the shape that the call was bound to");
        }
    }
}
