namespace Graphene.Runtime;

/// <summary>
/// The constants of one program on its device: large ones in the pool of all, small ones together in a
/// block of their own.
/// </summary>
internal sealed unsafe class GpuConstants : IDisposable
{
    // Not worth a hash and an allocation of their own.
    private const long SmallBytes = 64 << 10;
    private const long Alignment = 256;

    private readonly List<GpuConstantPool.Share> _shares = [];
    private readonly GpuMemory? _small;

    /// <summary>Uploads.</summary>
    /// <param name="plan">The buffers.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="device">The device.</param>
    /// <param name="stream">Uploads; empty when this returns.</param>
    /// <exception cref="GpuMemoryException">There is not enough memory.</exception>
    public GpuConstants(ExecutablePlan plan, ConstantData data, GpuDevice device, GpuStream stream)
    {
        Addresses = new nint[plan.Buffers.Length];
        try
        {
            long[] offsets = new long[plan.Buffers.Length];
            long small = 0;
            for (int i = 0; i < offsets.Length; i++)
            {
                if (plan.Buffers[i] is { Kind: BufferKind.Constant } buffer)
                {
                    long bytes = buffer.SizeInBytes.Value;
                    Bytes += bytes;
                    if (bytes >= SmallBytes)
                    {
                        GpuConstantPool.Share share = device.Constants.Get(data.Pointer + buffer.Offset!.Value.Value, bytes, stream);
                        _shares.Add(share);
                        Addresses[i] = share.Address;
                    }
                    else
                    {
                        offsets[i] = small;
                        small += (bytes + Alignment - 1) & ~(Alignment - 1);
                    }
                }
            }
            _small = device.Allocate(small, stream);
            for (int i = 0; i < offsets.Length; i++)
            {
                if (plan.Buffers[i] is { Kind: BufferKind.Constant } buffer && Addresses[i] == 0 && buffer.SizeInBytes.Value > 0)
                {
                    Addresses[i] = _small.Address + (nint)offsets[i];
                    stream.CopyToDevice(Addresses[i], data.Pointer + buffer.Offset!.Value.Value, buffer.SizeInBytes.Value);
                }
            }
            stream.Synchronize();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The address of each buffer that is a constant; 0 for others.</summary>
    public nint[] Addresses { get; }

    /// <summary>Bytes of all of them.</summary>
    public long Bytes { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _shares.ForEach(s => s.Dispose());
        _small?.Dispose();
    }
}
