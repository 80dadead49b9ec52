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

        int begin = (int)offset;
        int end = begin;
        while (end < table.Length && end - begin <= MaxNameLength && table[end] != 0)
        {
            end++;
        }

        if (end == table.Length || end - begin > MaxNameLength)
        {
            throw Fail($"a name has no end or more than {MaxNameLength} bytes");
        }

        return Encoding.UTF8.GetString(table.Slice(begin, end - begin));
    }

    public ObjectLoadException Fail(string problem) => new(objectName, problem);

    // By hand, for the reason that StoredNumber gives.
    public static ushort U16(ReadOnlySpan<byte> at, int offset) => (ushort)(at[offset] | (at[offset + 1] << 8));

    public static uint U32(ReadOnlySpan<byte> at, int offset) => U16(at, offset) | ((uint)U16(at, offset + 2) << 16);

    public static ulong U64(ReadOnlySpan<byte> at, int offset) => U32(at, offset) | ((ulong)U32(at, offset + 4) << 32);
}
