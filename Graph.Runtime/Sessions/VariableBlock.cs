namespace Graphene.Runtime;

/// <summary>Memory for a value of a variable: the host's, or that of the device that the variable's programs run on.</summary>
internal abstract unsafe class VariableBlock : IDisposable
{
    /// <summary>The address that programs get.</summary>
    public abstract byte* Pointer { get; }

    /// <summary>The size of the value.</summary>
    public abstract long Length { get; }

    /// <summary>Copies a value in; zeros for null.</summary>
    public abstract void Write(byte* value);

    /// <summary>Copies the value out.</summary>
    public abstract void Read(byte* value);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Memory where a device wants it.</summary>
    /// <param name="device">The device; null for the host.</param>
    /// <param name="length">The size of the value.</param>
    public static VariableBlock Allocate(GpuDevice? device, long length) => device is null
        ? new OfHost(length)
        : new OfDevice(device, GpuMemoryReport.Allocate(device, length, "a variable"));

    private sealed class OfHost(long length) : VariableBlock
    {
        private readonly NativeBlock _block = NativeBlock.Allocate(length);

        public override byte* Pointer => _block.Pointer;

        public override long Length => (long)_block.Length;

        public override void Write(byte* value)
        {
            if (value is null)
            {
                System.Runtime.InteropServices.NativeMemory.Clear(_block.Pointer, _block.Length);
            }
            else
            {
                Buffer.MemoryCopy(value, _block.Pointer, Length, Length);
            }
        }

        public override void Read(byte* value) => Buffer.MemoryCopy(_block.Pointer, value, Length, Length);

        public override void Dispose() => _block.Dispose();
    }

    private sealed class OfDevice(GpuDevice device, GpuMemory memory) : VariableBlock
    {
        public override byte* Pointer => (byte*)memory.Address;

        public override long Length => memory.Length;

        public override void Write(byte* value)
        {
            if (value is null)
            {
                device.Transfers.Clear(memory.Address, Length);
            }
            else
            {
                device.Transfers.Upload(memory.Address, value, Length);
            }
        }

        public override void Read(byte* value) => device.Transfers.Download(value, memory.Address, Length);

        public override void Dispose() => memory.Dispose();
    }
}
