using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>What one run of compiled code needs besides the caller's memory: context, pointer table, symbol values,
/// arena.</summary>
/// <remarks>
/// Frames are kept between runs. A run with the binding of the run before sets the pointers of inputs and outputs and
/// nothing
/// else.
/// </remarks>
internal sealed unsafe class RunFrame : IDisposable
{
    /// <summary>Room for the context, which is smaller, in front of the pointer table.</summary>
    public const int ContextBytes = 128;

    private readonly NativeProgram _program;
    private readonly NativeBlock _memory;
    private NativeBlock? _arena;
    private NativeBinding? _binding;
    private GCHandle _self;

    /// <summary>Creates a frame; the program counts it as a user until it is disposed.</summary>
    public RunFrame(NativeProgram program)
    {
        _program = program;
        int buffers = program.Plan.BufferTable.Length;
        _memory = NativeBlock.Allocate(TableBytes(buffers, program.SymbolTable.Length));
        NativeMemory.Clear(_memory.Pointer, _memory.Length);
        // Whoever runs holds the frame; an idle one must not hold a program that was dropped.
        _self = GCHandle.Alloc(this, GCHandleType.Weak);
        Context->Buffers = (void**)(_memory.Pointer + ContextBytes);
        Context->Symbols = (long*)(Context->Buffers + buffers);
        Context->HostCall = HostCallEntry.Address;
        Context->Host = (void*)GCHandle.ToIntPtr(_self);
        Context->Cancel = Flag.Pointer;
    }

    /// <summary>Frees the handle of a frame whose program was dropped without being disposed; memory frees itself.</summary>
    ~RunFrame()
    {
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    /// <summary>What a frame takes besides the arena.</summary>
    public static long TableBytes(int buffers, int symbols) => ContextBytes + ((buffers + (long)symbols) * sizeof(long));

    /// <summary>The context to pass to the entry function.</summary>
    public NativeContext* Context => (NativeContext*)_memory.Pointer;

    /// <summary>The flag that stops this frame's run.</summary>
    public CancellationFlag Flag { get; } = new();

    /// <summary>What a host call failed with.</summary>
    public Exception? HostError { get; private set; }

    /// <summary>Where prints of this frame's run go; null for the standard error stream.</summary>
    public TextWriter? PrintOutput { get; private set; }

    /// <summary>Receives the times of kernel calls.</summary>
    public KernelProfile? Profile { get; private set; }

    /// <summary>Receives the values of taps by name.</summary>
    public Action<string, Literal>? TapOutput { get; private set; }

    /// <summary>Fills the pointer table.</summary>
    public void Prepare(NativeBinding binding, void** inputs, void** outputs, in RunSettings settings)
    {
        if (!ReferenceEquals(binding, _binding))
        {
            Apply(binding);
        }
        void** buffers = Context->Buffers;
        foreach (var (buffer, input) in _program.ParameterBuffers)
        {
            buffers[buffer] = inputs[input];
        }
        foreach (var (buffer, output) in _program.ResultBuffers)
        {
            buffers[buffer] = outputs[output];
        }
        foreach (var (buffer, whole) in _program.AliasBuffers)
        {
            buffers[buffer] = (byte*)buffers[whole] + binding.BufferOffsets[buffer];
        }
        Context->Error = NativeError.None;
        Context->ErrorDetail = 0;
        HostError = null;
        PrintOutput = settings.PrintOutput;
        Profile = settings.Profile;
        Profile?.BeginRun();
        TapOutput = settings.TapOutput;
        settings.Pool.Attach(Context, settings.MaxThreads);
    }

    /// <summary>Does what compiled code asked for; a failure ends the run.</summary>
    public void HandleHostCall(long id, void** arguments)
    {
        try
        {
            if (id < 0)
            {
                Profile?.Mark(id);
                return;
            }
            _program.HandleHostCall(this, id, arguments);
        }
        catch (Exception e)
        {
            // An exception must not unwind native frames: it is thrown again when they have returned.
            HostError = e;
            Context->Error = NativeError.HostCallFailed;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (_self.IsAllocated)
        {
            _self.Free();
            _memory.Dispose();
            _arena?.Dispose();
            Flag.Dispose();
            _program.ReleaseUser();
        }
    }

    private void Apply(NativeBinding binding)
    {
        _binding = null; // nothing is right any more should the allocation fail
        if (_arena is null || (long)_arena.Length < binding.ArenaBytes)
        {
            _arena?.Dispose();
            _arena = null;
            _arena = NativeBlock.Allocate(binding.ArenaBytes);
        }
        new ReadOnlySpan<long>(binding.Symbols).CopyTo(new Span<long>(Context->Symbols, binding.Symbols.Length));
        for (int i = 0; i < binding.BufferOffsets.Length; i++)
        {
            Context->Buffers[i] = _program.Plan.BufferTable[i].Kind switch
            {
                BufferKind.Constant => _program.Constants.Pointer + binding.BufferOffsets[i],
                BufferKind.Temp => _arena.Pointer + binding.BufferOffsets[i],
                _ => null,
            };
        }
        _binding = binding;
    }
}
