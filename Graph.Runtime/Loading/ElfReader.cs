using System.Buffers.Binary;
using System.Text;

namespace Graphene.Runtime;

/// <summary>Bounds-checked little-endian reads from an object file.</summary>
internal readonly ref struct ElfReader(ReadOnlySpan<byte> bytes, string objectName)
{
    private const int MaxNameLength = 1024;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Length => _bytes.Length;

    /// <summary>A part of the file.</summary>
    public ReadOnlySpan<byte> Slice(ulong offset, ulong size, string what)
    {
        if (offset > (ulong)_bytes.Length || size > (ulong)_bytes.Length - offset)
        {
            throw Fail($"{what} lies outside of the file ({size} bytes at {offset}, the file has {_bytes.Length})");
        }

        return _bytes.Slice((int)offset, (int)size);
    }

    /// <summary>A zero-terminated name in a string table.</summary>
    public string Name(ReadOnlySpan<byte> table, uint offset)
    {
        if (offset >= (uint)table.Length)
        {
            throw Fail("a name lies outside of its string table");
        }

        ReadOnlySpan<byte> rest = table[(int)offset..];
        int length = rest[..Math.Min(rest.Length, MaxNameLength + 1)].IndexOf((byte)0);
        if (length < 0)
        {
            throw Fail($"a name has no end or more than {MaxNameLength} bytes");
        }

        return Encoding.UTF8.GetString(rest[..length]);
    }

    public ObjectLoadException Fail(string problem) => new(objectName, problem);

    public static ushort U16(ReadOnlySpan<byte> at, int offset) =>
        BinaryPrimitives.ReadUInt16LittleEndian(at[offset..]);

    public static uint U32(ReadOnlySpan<byte> at, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(at[offset..]);

    public static ulong U64(ReadOnlySpan<byte> at, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(at[offset..]);
}
