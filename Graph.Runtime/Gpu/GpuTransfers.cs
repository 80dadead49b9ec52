namespace Graphene.Runtime;

/// <summary>
/// Copies between runs: values of variables, and tensors that a user keeps on the device. Each is over
/// when its call returns.
/// </summary>
/// <param name="device">The device.</param>
internal sealed unsafe class GpuTransfers(GpuDevice device) : IDisposable
{
    private readonly Lock _lock = new();
    private GpuStream? _stream;
    private HostStaging? _staging;

    /// <summary>Copies to the device.</summary>
    public void Upload(nint to, byte* from, long bytes) => Do(bytes, () => _staging!.Upload(to, from, bytes));

    /// <summary>Copies to the host.</summary>
    public void Download(byte* to, nint from, long bytes) => Do(bytes, () => _staging!.Download(to, from, bytes));

    /// <summary>Sets all bytes to zero.</summary>
    public void Clear(nint to, long bytes) => Do(bytes, () => _stream!.Fill(to, 0, bytes));

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _staging?.Dispose();
            _stream?.Dispose();
            _staging = null;
            _stream = null;
        }
    }

    private void Do(long bytes, Action copy)
    {
        if (bytes == 0)
        {
            return;
        }
        lock (_lock)
        {
            _stream ??= device.CreateStream();
            _staging ??= new HostStaging(device, _stream);
            copy();
            _stream.Synchronize();
        }
    }
}
