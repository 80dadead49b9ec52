namespace Graphene.Runtime;

/// <summary>A tensor in the memory of a GPU, which stays there: what one call wrote, another can read without a copy to the host.</summary>
/// <remarks>Whoever lets two calls use one tensor at a time, one of them writing, gets anything.</remarks>
public sealed unsafe class DeviceTensor : IDisposable
{
    private readonly GpuDevice _device;
    private readonly GpuMemory _memory;
    private readonly long[] _shape;

    /// <summary>Takes memory for a tensor, whose elements are anything.</summary>
    /// <param name="device">The device.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The extents.</param>
    /// <exception cref="GraphException">GR6503: there is not enough memory.</exception>
    public DeviceTensor(GpuDevice device, DType type, params ReadOnlySpan<long> shape)
    {
        long bytes = type.SizeInBytes();
        foreach (long extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
            bytes = checked(bytes * extent);
        }
        _device = device;
        _shape = shape.ToArray();
        DType = type;
        _memory = GpuMemoryReport.Allocate(device, bytes, $"a tensor {type.Name()}[{string.Join(",", _shape)}]");
    }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>The extents.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The size in bytes.</summary>
    public long SizeInBytes => _memory.Length;

    internal GpuDevice Device => _device;

    internal void* Address => _memory.IsClosed ? throw new ObjectDisposedException(nameof(DeviceTensor)) : (void*)_memory.Address;

    /// <summary>Copies elements to the device.</summary>
    /// <param name="elements">As many as the tensor has.</param>
    /// <exception cref="ArgumentException">Their number or type differs.</exception>
    public void Write<T>(ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        Require(DTypeFacts.Of<T>(), (long)elements.Length * sizeof(T));
        fixed (T* from = elements)
        {
            _device.Transfers.Upload((nint)Address, (byte*)from, SizeInBytes);
        }
    }

    /// <summary>Copies elements to the host.</summary>
    /// <param name="elements">Room for as many as the tensor has.</param>
    /// <exception cref="ArgumentException">Their number or type differs.</exception>
    public void Read<T>(Span<T> elements)
        where T : unmanaged
    {
        Require(DTypeFacts.Of<T>(), (long)elements.Length * sizeof(T));
        fixed (T* to = elements)
        {
            _device.Transfers.Download((byte*)to, (nint)Address, SizeInBytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private void Require(DType type, long bytes)
    {
        if (type != DType || bytes != SizeInBytes)
        {
            throw new ArgumentException($"{bytes} bytes of {type.Name()} are not {DType.Name()}[{string.Join(",", _shape)}]");
        }
    }
}
