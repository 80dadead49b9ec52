using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>One run of a <see cref="ModelFunction"/> on the caller's memory: what generated classes write their methods with.</summary>
/// <remarks>
/// Give every input, then every output, then run. Nothing is copied and nothing allocated; the memory is pinned only while
/// the code runs.
/// </remarks>
public unsafe ref struct ModelCall
{
    private readonly ModelFunction _function;
    private CallSlots _memory;
    private SlotLengths _lengths;
    private ShapeBinding? _binding;

    internal ModelCall(ModelFunction function, ShapeBinding? binding)
    {
        function.RequireSlots();
        _function = function;
        _binding = binding;
        ((Span<int>)_lengths).Fill(-1);
    }

    /// <summary>Gives an input.</summary>
    /// <param name="input">Its position.</param>
    /// <param name="elements">The elements, row-major.</param>
    /// <exception cref="GraphException">GR6205: the element type differs. GR6201: the number of elements does not fit.</exception>
    public void Input<T>(int input, ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        InputSpec spec = _function.InputTable[input];
        InputShapes.RequireType("input", spec.Name, spec.Type, DTypeFacts.Of<T>());
        if (_binding is { } binding && binding.InputBytes[input] != (long)elements.Length * sizeof(T))
        {
            throw WrongLength(spec, binding.InputBytes[input] / sizeof(T), elements.Length);
        }
        _memory.Set(input, Start(elements));
        _lengths[input] = elements.Length;
    }

    /// <summary>The number of elements of an output, known once every input was given.</summary>
    /// <param name="output">Its position.</param>
    /// <exception cref="GraphException">GR6201: the inputs do not fit.</exception>
    public int OutputLength(int output) => checked(
        (int)(Bind().OutputBytes[output] / _function.OutputTable[output].Type.DType.SizeInBytes()));

    /// <summary>Gives the memory that receives an output.</summary>
    /// <param name="output">Its position.</param>
    /// <param name="elements">Memory for all elements; it may be longer.</param>
    /// <exception cref="GraphException">
    /// GR6205: the element type differs. GR6201: the memory is too short, or the inputs do not fit.
    /// </exception>
    public void Output<T>(int output, Span<T> elements)
        where T : unmanaged
    {
        OutputSpec spec = _function.OutputTable[output];
        InputShapes.RequireType("output", spec.Name, spec.Type, DTypeFacts.Of<T>());
        long needed = Bind().OutputBytes[output] / sizeof(T);
        if (elements.Length < needed)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch, $"output '{spec.Name}': {needed} elements do not fit into {elements.Length}",
                fix: "pass memory for all elements of the output");
        }
        int slot = _function.InputTable.Length + output;
        _memory.Set(slot, Start((ReadOnlySpan<T>)elements));
        _lengths[slot] = elements.Length;
    }

    /// <summary>Runs.</summary>
    /// <param name="cancellation">Stops the run; the outputs hold nothing useful then.</param>
    /// <exception cref="GraphException">A check in the graph failed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public void Run(CancellationToken cancellation = default)
    {
        ShapeBinding binding = Bind();
        int count = _function.SlotCount;
        for (int i = _function.InputTable.Length; i < count; i++)
        {
            if (_lengths[i] < 0)
            {
                throw new InvalidOperationException($"output {i - _function.InputTable.Length} was not given");
            }
        }
        void** pointers = stackalloc void*[CallSlots.Count];
        PinAndRun(_function, binding, in _memory, 0, count, pointers, cancellation);
    }

    // One frame for each reference: a frame can pin a fixed number of them.
    private static void PinAndRun(
        ModelFunction function, ShapeBinding binding, ref readonly CallSlots memory, int slot, int count, void** pointers,
        CancellationToken cancellation)
    {
        if (slot == count)
        {
            function.Run(binding, pointers, pointers + function.InputTable.Length, cancellation);
            return;
        }
        fixed (byte* pointer = &memory.At(slot))
        {
            pointers[slot] = pointer;
            PinAndRun(function, binding, in memory, slot + 1, count, pointers, cancellation);
        }
    }

    private ShapeBinding Bind()
    {
        if (_binding is null)
        {
            for (int i = 0; i < _function.InputTable.Length; i++)
            {
                if (_lengths[i] < 0)
                {
                    throw new InvalidOperationException($"input '{_function.InputTable[i].Name}' was not given");
                }
            }
            _binding = _function.BindLengths(_lengths);
        }
        return _binding;
    }

    // Not all bytes: a span cannot have more than 2^31 of them, elements can.
    private static ReadOnlySpan<byte> Start<T>(ReadOnlySpan<T> elements)
        where T : unmanaged => MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(elements)), 0);

    private static GraphException WrongLength(InputSpec input, long expected, int given) => new(
        RuntimeDiagnostics.ShapeMismatch, $"input '{input.Name}': {given} elements do not fit {input.Type}",
        why: $"it has {expected} elements for the dimensions that were given", fix: "pass as many elements as the shape has");
}
