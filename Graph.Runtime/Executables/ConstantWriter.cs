namespace Graphene.Runtime;

/// <summary>Packs constants one behind the other, each at a multiple of 64 bytes.</summary>
/// <remarks>Used in two rounds: reserve room for every constant, then fill the one block that holds them all.</remarks>
public sealed class ConstantWriter
{
    private readonly List<(long Offset, ReadOnlyMemory<byte> Bytes)> _parts = [];
    private long _length;

    /// <summary>The bytes needed so far.</summary>
    public long Length => _length;

    /// <summary>Adds a constant; its bytes must not change before <see cref="ToData"/>.</summary>
    /// <returns>The offset for <see cref="BufferSpec.Constant"/>.</returns>
    public long Add(ReadOnlyMemory<byte> bytes)
    {
        const long Mask = NativeBlock.Alignment - 1;
        long offset = checked(_length + Mask) & ~Mask;
        _parts.Add((offset, bytes));
        _length = checked(offset + bytes.Length);
        return offset;
    }

    /// <summary>Copies everything into one block.</summary>
    public ConstantData ToData()
    {
        if (_length == 0)
        {
            return ConstantData.Empty;
        }
        NativeBlock block = NativeBlock.Allocate(_length);
        long end = 0;
        foreach (var (offset, bytes) in _parts)
        {
            // The gaps go into files and into their hashes, so they are defined, too.
            block.Bytes(end, (int)(offset - end)).Clear();
            bytes.Span.CopyTo(block.Bytes(offset, bytes.Length));
            end = offset + bytes.Length;
        }
        return ConstantData.Of(block, _length);
    }
}
