namespace Graphene.Codegen;

/// <summary>Bytes of native memory as memory of .NET.</summary>
/// <param name="pointer">The first byte.</param>
/// <param name="length">How many.</param>
internal sealed unsafe class UnmanagedBytes(byte* pointer, long length) : System.Buffers.MemoryManager<byte>
{
    /// <summary>Sets all bytes.</summary>
    public void Fill(byte value)
    {
        for (long at = 0; at < length; at += int.MaxValue)
        {
            new Span<byte>(pointer + at, (int)Math.Min(int.MaxValue, length - at)).Fill(value);
        }
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(pointer, checked((int)length));

    /// <inheritdoc/>
    public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => new(pointer + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
        // Native memory does not move.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // The memory belongs to somebody else.
    }
}
