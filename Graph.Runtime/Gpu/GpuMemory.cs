using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Memory of a GPU, freed exactly once. The address means nothing to the host.</summary>
internal sealed class GpuMemory : SafeHandle
{
    private readonly GpuDevice _device;

    /// <summary>Takes what a device gave.</summary>
    public GpuMemory(GpuDevice device, nint address, long length)
        : base(0, ownsHandle: true)
    {
        _device = device;
        Length = length;
        SetHandle(address);
    }

    /// <summary>The size in bytes that was asked for.</summary>
    public long Length { get; }

    /// <summary>The first byte; 0 for memory that holds nothing.</summary>
    public nint Address => handle;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _device.Release(handle, Length);
        return true;
    }
}
