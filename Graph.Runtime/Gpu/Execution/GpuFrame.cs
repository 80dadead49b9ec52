namespace Graphene.Runtime;

/// <summary>What one run on a GPU needs besides the caller's memory: a stream, addresses, memory on the device, captured graphs.</summary>
/// <remarks>
/// Frames are kept between runs. The memory is one piece, as large as the run needs and no larger:
/// <code>
/// arena | inputs that lie in the host's memory | outputs that go there
/// </code>
/// </remarks>
internal sealed unsafe class GpuFrame : IDisposable
{
    // A training step writes the next value of each variable where the one before the last was: two sets of addresses.
    private const int MostCaptured = 4;
    private const long Alignment = 256;
    private const long FlagBytes = 64;

    private readonly GpuProgram _program;
    private readonly List<CapturedSegments> _captured = [];
    private readonly HostStaging _staging;
    private readonly NativeBlock _flag;
    private readonly nint[] _inputs;
    private readonly nint[] _outputs;
    private SideStreams? _sides;
    private GpuMemory? _memory;
    private GpuBinding? _binding;
    private MemoryPlaces? _places;
    private bool _disposed;

    /// <summary>Creates a frame; the program counts it as a user until it is disposed.</summary>
    public GpuFrame(GpuProgram program)
    {
        _program = program;
        Addresses = new nint[program.Plan.Buffers.Length];
        _inputs = new nint[program.Inputs.Length];
        _outputs = new nint[program.Outputs.Length];
        Stream = program.GpuDevice.CreateStream();
        _staging = new HostStaging(program.GpuDevice, Stream);
        try
        {
            _flag = program.GpuDevice.AllocateHost(FlagBytes);
        }
        catch
        {
            Stream.Dispose();
            throw;
        }
    }

    /// <summary>Where the run's work goes.</summary>
    public GpuStream Stream { get; }

    /// <summary>The address of each buffer.</summary>
    public nint[] Addresses { get; }

    /// <summary>The shapes of the run.</summary>
    public GpuBinding Binding => _binding!;

    /// <summary>The graphs for the addresses of the run.</summary>
    public CapturedSegments Captured { get; private set; } = null!;

    /// <summary>Other queues, for work that is side by side; made when first asked for.</summary>
    public SideStreams Sides => _sides ??= new SideStreams(_program.GpuDevice);

    /// <summary>What a run takes on the device, constants and variables aside.</summary>
    public static long DeviceBytes(GpuProgram program, GpuBinding binding, MemoryPlaces? places)
    {
        long bytes = Align(binding.ArenaBytes);
        foreach ((int _, int input) in program.ParameterBuffers)
        {
            bytes += places is null || places.Input(input) != MemoryPlace.Device ? Align(binding.InputBytes[input]) : 0;
        }
        foreach ((int _, int output) in program.ResultBuffers)
        {
            bytes += places is null || places.Output(output) != MemoryPlace.Device ? Align(binding.OutputBytes[output]) : 0;
        }
        return bytes;
    }

    /// <summary>Gives every buffer its address.</summary>
    /// <exception cref="GpuMemoryException">There is not enough memory; the frame can be used again.</exception>
    public void Prepare(GpuBinding binding, MemoryPlaces? places, void** inputs, void** outputs)
    {
        if (!ReferenceEquals(binding, _binding) || !ReferenceEquals(places, _places))
        {
            Apply(binding, places);
        }
        foreach ((int buffer, int input) in _program.ParameterBuffers)
        {
            Addresses[buffer] = places?.Input(input) == MemoryPlace.Device ? (nint)inputs[input] : _inputs[input];
        }
        foreach ((int buffer, int output) in _program.ResultBuffers)
        {
            Addresses[buffer] = places?.Output(output) == MemoryPlace.Device ? (nint)outputs[output] : _outputs[output];
        }
        foreach ((int buffer, int whole) in _program.AliasBuffers)
        {
            Addresses[buffer] = Addresses[whole] + (nint)binding.BufferOffsets[buffer];
        }
        Captured = FindCaptured(binding);
    }

    /// <summary>Copies the inputs that lie in the host's memory.</summary>
    public void Upload(void** inputs)
    {
        foreach ((int buffer, int input) in _program.ParameterBuffers)
        {
            long bytes = Binding.InputBytes[input];
            MemoryPlace place = _places?.Input(input) ?? MemoryPlace.Host;
            if (bytes == 0 || place == MemoryPlace.Device)
            {
                continue;
            }
            if (place == MemoryPlace.Pinned)
            {
                Stream.CopyToDevice(Addresses[buffer], inputs[input], bytes);
            }
            else
            {
                _staging.Upload(Addresses[buffer], (byte*)inputs[input], bytes);
            }
        }
    }

    /// <summary>Copies the outputs to where the caller wants them; they have arrived when the stream was waited for.</summary>
    public void Download(void** outputs)
    {
        for (int i = 0; i < _program.Outputs.Length; i++)
        {
            int buffer = _program.Outputs[i].Buffer;
            long bytes = Binding.OutputBytes[i];
            MemoryPlace place = _places?.Output(i) ?? MemoryPlace.Host;
            bool isThere = place == MemoryPlace.Device && Addresses[buffer] == (nint)outputs[i];
            if (bytes == 0 || isThere)
            {
                continue;
            }
            switch (place)
            {
                case MemoryPlace.Device:
                    Stream.Copy((nint)outputs[i], Addresses[buffer], bytes);
                    break;
                case MemoryPlace.Pinned:
                    Stream.CopyToHost(outputs[i], Addresses[buffer], bytes);
                    break;
                default:
                    _staging.Download((byte*)outputs[i], Addresses[buffer], bytes);
                    break;
            }
        }
    }

    /// <summary>Copies a buffer's first bytes to the host and waits for them.</summary>
    public int Read(int buffer, int bytes)
    {
        *(long*)_flag.Pointer = 0;
        Stream.CopyToHost(_flag.Pointer, Addresses[buffer], bytes);
        Stream.Synchronize();
        return *(int*)_flag.Pointer;
    }

    /// <summary>Copies a whole buffer to the host and waits for it.</summary>
    public NativeBlock ReadAll(int buffer)
    {
        long bytes = Binding.BufferBytes[buffer];
        NativeBlock block = NativeBlock.Allocate(bytes);
        if (bytes > 0)
        {
            _staging.Download(block.Pointer, Addresses[buffer], bytes);
        }
        Stream.Synchronize();
        return block;
    }

    /// <summary>Waits until nothing of a run that failed is under way; whatever else fails is known already.</summary>
    public void Settle()
    {
        try
        {
            Stream.Synchronize();
        }
        catch (GraphException)
        {
            // The run's own error says what happened first.
        }
    }

    /// <summary>Frees the device's memory; the frame can be used again.</summary>
    public void FreeMemory()
    {
        _captured.ForEach(c => c.Dispose());
        _captured.Clear();
        _binding = null;
        _places = null;
        _memory?.Dispose();
        _memory = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        Settle();
        FreeMemory();
        _sides?.Dispose();
        _staging.Dispose();
        _flag.Dispose();
        Stream.Dispose();
        _program.ReleaseUser();
    }

    private void Apply(GpuBinding binding, MemoryPlaces? places)
    {
        long bytes = DeviceBytes(_program, binding, places);
        if (_memory is null || _memory.Length < bytes)
        {
            FreeMemory();
            _memory = _program.GpuDevice.Allocate(bytes, Stream);
        }
        nint at = _memory.Address + (nint)Align(binding.ArenaBytes);
        for (int i = 0; i < Addresses.Length; i++)
        {
            Addresses[i] = _program.Plan.Buffers[i].Kind switch
            {
                BufferKind.Constant => _program.ConstantAddresses[i],
                BufferKind.Temp => _memory.Address + (nint)binding.BufferOffsets[i],
                _ => 0,
            };
        }
        foreach ((int _, int input) in _program.ParameterBuffers)
        {
            _inputs[input] = at;
            at += places?.Input(input) == MemoryPlace.Device ? 0 : (nint)Align(binding.InputBytes[input]);
        }
        foreach ((int _, int output) in _program.ResultBuffers)
        {
            _outputs[output] = at;
            at += places?.Output(output) == MemoryPlace.Device ? 0 : (nint)Align(binding.OutputBytes[output]);
        }
        _binding = binding;
        _places = places;
    }

    private CapturedSegments FindCaptured(GpuBinding binding)
    {
        for (int i = 0; i < _captured.Count; i++)
        {
            if (_captured[i].Fits(binding, Addresses))
            {
                return _captured[i];
            }
        }
        if (_captured.Count == MostCaptured)
        {
            _captured[0].Dispose();
            _captured.RemoveAt(0);
        }
        _captured.Add(new CapturedSegments(binding, [.. Addresses], _program.Steps.SegmentCount));
        return _captured[^1];
    }

    private static long Align(long bytes) => checked(bytes + Alignment - 1) & ~(Alignment - 1);
}
