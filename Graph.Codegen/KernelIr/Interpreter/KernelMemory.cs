namespace Graphene.Codegen;

/// <summary>The contents of one buffer, as the interpreter sees it: bounds are checked at every access.</summary>
/// <param name="buffer">What it is the contents of.</param>
/// <param name="bytes">The elements as in memory, little-endian.</param>
internal sealed class KernelMemory(KBuffer buffer, Memory<byte> bytes)
{
    private readonly int _size = buffer.Element.SizeInBytes();

    private long Length => bytes.Length / _size;

    /// <summary>The bits of an element; for bool 0 or 1.</summary>
    public ulong Read(long index)
    {
        ReadOnlySpan<byte> at = At(index, "load");
        ulong bits = 0;
        for (int i = 0; i < at.Length; i++)
        {
            bits |= (ulong)at[i] << (8 * i);
        }
        return buffer.Element == DType.Bool ? (bits != 0 ? 1ul : 0) : bits;
    }

    /// <summary>Sets an element.</summary>
    public void Write(long index, ulong bits)
    {
        Span<byte> at = At(index, "store");
        for (int i = 0; i < at.Length; i++)
        {
            at[i] = (byte)(bits >> (8 * i));
        }
    }

    private Span<byte> At(long index, string access) => index >= 0 && index < Length
        ? bytes.Span.Slice((int)(index * _size), _size)
        : throw new CompilerBugException("Kernel IR interpreter", $"{access} of element {index} of {buffer}[{Length}]");
}
