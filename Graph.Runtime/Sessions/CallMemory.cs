using System.Buffers;

namespace Graphene.Runtime;

/// <summary>Pinned memory of one call: frees every pin when the call is over.</summary>
internal sealed unsafe class CallMemory(int inputs, int outputs) : IDisposable
{
    private readonly MemoryHandle[] _handles = new MemoryHandle[inputs + outputs];
    private readonly nint[] _inputs = new nint[inputs];
    private readonly nint[] _outputs = new nint[outputs];

    /// <summary>Uses memory for an input.</summary>
    public void SetInput(int input, ReadOnlyMemory<byte> bytes)
    {
        _handles[input].Dispose();
        _handles[input] = bytes.Pin();
        _inputs[input] = (nint)_handles[input].Pointer;
    }

    /// <summary>Uses an address, which stays valid, for an input.</summary>
    public void SetInput(int input, void* address)
    {
        _handles[input].Dispose();
        _handles[input] = default;
        _inputs[input] = (nint)address;
    }

    /// <summary>Uses memory for an output.</summary>
    public void SetOutput(int output, Memory<byte> bytes)
    {
        int handle = _inputs.Length + output;
        _handles[handle].Dispose();
        _handles[handle] = bytes.Pin();
        _outputs[output] = (nint)_handles[handle].Pointer;
    }

    /// <summary>Uses an address, which stays valid, for an output.</summary>
    public void SetOutput(int output, void* address)
    {
        int handle = _inputs.Length + output;
        _handles[handle].Dispose();
        _handles[handle] = default;
        _outputs[output] = (nint)address;
    }

    /// <summary>Runs a program with this memory.</summary>
    public void Run(GraphProgram program, ShapeBinding binding, in RunSettings settings)
    {
        fixed (nint* inputs = _inputs)
        {
            fixed (nint* outputs = _outputs)
            {
                program.Run(binding, (void**)inputs, (void**)outputs, settings);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ref MemoryHandle handle in _handles.AsSpan())
        {
            handle.Dispose();
            handle = default;
        }
    }
}
