using System.Buffers.Binary;

namespace Graphene.Runtime;

/// <summary>The outer structure of an executable file, version 3. All numbers are little-endian.</summary>
/// <remarks>
/// <code>
/// 0    header, 64 bytes      magic "GRAPHENE", version u32, sections u32, file length u64, hash of the table, 24 zero
/// bytes
/// 64   table, 64 bytes each  kind u32, 4 zero bytes, offset u64, length u64, hash of the section, 24 zero bytes
/// ...  plan                  at a multiple of 64: see <see cref="PlanWriter"/>
/// ...  objects, any number   at multiples of 64
/// ...  constants, if any     at a multiple of 4096: mapped and used in place, so always the last section
/// </code>
/// Hashes are those of <see cref="SectionHash"/>.
/// </remarks>
internal static class FileLayout
{
    /// <summary>The version of everything in the file and of the native ABI of the code in it.</summary>
    public const int Version = 3;

    /// <summary>Bytes of the header, and of a table entry.</summary>
    public const int RecordBytes = 64;

    /// <summary>The alignment of constants in the file.</summary>
    public const int PageBytes = 4096;

    /// <summary>The most sections that a file may have.</summary>
    public const int MaxSections = 4096;

    /// <summary>The largest plan that is read.</summary>
    public const int MaxPlanBytes = 64 << 20;

    /// <summary>The first bytes of every file.</summary>
    public static ReadOnlySpan<byte> Magic => "GRAPHENE"u8;

    /// <summary>The alignment of a section.</summary>
    public static int AlignmentOf(FileSectionKind kind) => kind == FileSectionKind.Constants ? PageBytes : RecordBytes;

    /// <summary>Rounds up.</summary>
    public static long Align(long offset, int alignment) => checked(offset + alignment - 1) / alignment * alignment;
}

/// <summary>What a section holds; the values are part of the file format.</summary>
internal enum FileSectionKind
{
    /// <summary>The plan.</summary>
    Plan = 1,

    /// <summary>One object; the names are in the plan.</summary>
    Object = 2,

    /// <summary>All constants.</summary>
    Constants = 3,
}

/// <summary>One entry of the section table.</summary>
internal sealed record FileSection(FileSectionKind Kind, long Offset, long Length, byte[] Hash)
{
    /// <summary>Writes the entry.</summary>
    public void Write(Span<byte> record)
    {
        record.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(record, (int)Kind);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], Length);
        Hash.CopyTo(record[24..]);
    }

    /// <summary>Reads an entry without judging it.</summary>
    public static FileSection Read(ReadOnlySpan<byte> record) => new(
        (FileSectionKind)BinaryPrimitives.ReadInt32LittleEndian(record),
        BinaryPrimitives.ReadInt64LittleEndian(record[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(record[16..]),
        record.Slice(24, SectionHash.Size).ToArray());
}
