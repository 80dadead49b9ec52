using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Graphene.Runtime;

/// <summary>Writes fields as bytes; <see cref="FieldReader"/> is the exact inverse.</summary>
/// <remarks>
/// Numbers are little-endian, 32 or 64 bits. A string is its UTF-8 length and bytes, a list its length and elements.
/// </remarks>
internal abstract class FieldWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>What was written.</summary>
    protected byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    /// <summary>A list.</summary>
    protected void List<T>(IReadOnlyList<T> list, Action<T> write)
    {
        Int32(list.Count);
        foreach (T element in list)
        {
            write(element);
        }
    }

    /// <summary>A text.</summary>
    protected void Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Int32(bytes.Length);
        _bytes.Write(bytes);
    }

    /// <summary>A number of 8 bits.</summary>
    protected void Byte(byte value) => _bytes.Write([value]);

    /// <summary>A number of 32 bits.</summary>
    protected void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    /// <summary>A number of 64 bits.</summary>
    protected void Int64(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        _bytes.Write(bytes);
    }
}
