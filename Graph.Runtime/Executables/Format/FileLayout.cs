using System.Buffers.Binary;

namespace Graphene.Runtime;

/// <summary>The outer structure of an executable file, version 5. All numbers are little-endian.</summary>
/// <remarks>
/// <code>
/// 0    header, 64 bytes      magic "GRAPHENE", version u32, sections u32, file length u64, kind of the hashes u32,
///                            bytes of the seal u32, hash of the table
/// 64   table, 64 bytes each  kind u32, 4 zero bytes, offset u64, length u64, hash of the section, 8 zero bytes
/// ...  index                 at a multiple of 64: see <see cref="FileIndex"/>
/// ...  plans                 at multiples of 64, in the order of the index: see <see cref="PlanWriter"/>
/// ...  objects, any number   at multiples of 64
/// ...  constants, if any     at a multiple of 4096: mapped and used in place, so always the last section
/// ...  seal, if any          at a multiple of 64, up to the end of the file: see <see cref="FileSeal"/>
/// </code>
/// Every byte takes part: what lies between sections is zero. Hashes take 32 bytes, see <see cref="SectionHash"/>. The cache writes
/// fast ones, since it looks for damage alone and hashing is most of a start; what leaves the machine is a bundle, with BLAKE3.
/// </remarks>
internal static class FileLayout
{
    /// <summary>
    /// The version of everything in the file and of the native ABI of the code in it. The kind of the
    /// hashes says itself.
    /// </summary>
    public const int Version = 5;

    /// <summary>The oldest version that is read. Bundles are files of users: what was written once stays readable.</summary>
    public const int OldestVersion = 4;

    /// <summary>The first version whose plans say whether they are for a GPU.</summary>
    public const int FirstVersionWithGpu = 5;

    /// <summary>Bytes of the header, and of a table entry.</summary>
    public const int RecordBytes = 64;

    /// <summary>The alignment of constants in the file.</summary>
    public const int PageBytes = 4096;

    /// <summary>The most sections that a file may have.</summary>
    public const int MaxSections = 4096;

    /// <summary>The largest plan that is read, and the largest index.</summary>
    public const int MaxPlanBytes = 64 << 20;

    /// <summary>The first bytes of every file, <c>GRAPHENE</c>, as a number.</summary>
    public const long MagicNumber = 0x454E454850415247;

    /// <summary>The alignment of a section.</summary>
    public static int AlignmentOf(FileSectionKind kind) => kind == FileSectionKind.Constants ? PageBytes : RecordBytes;

    /// <summary>Rounds up.</summary>
    public static long Align(long offset, int alignment) => checked(offset + alignment - 1) / alignment * alignment;
}

/// <summary>What a section holds; the values are part of the file format, and sections lie in their order.</summary>
internal enum FileSectionKind
{
    /// <summary>The plan of one signature for one variant.</summary>
    Plan = 1,

    /// <summary>One object; the names are in the plans.</summary>
    Object = 2,

    /// <summary>All constants.</summary>
    Constants = 3,

    /// <summary>What there is, always the first section.</summary>
    Index = 4,
}

/// <summary>The header of a file.</summary>
/// <param name="Version">The version of the format.</param>
/// <param name="Sections">How many sections there are.</param>
/// <param name="FileLength">The bytes of the whole file.</param>
/// <param name="Hashes">The kind of all hashes.</param>
/// <param name="SealBytes">Bytes of the seal at the end; 0 when there is none.</param>
/// <param name="TableHash">The hash of the table.</param>
internal sealed record FileHeader(
    int Version, int Sections, long FileLength, FileHashKind Hashes, int SealBytes, byte[] TableHash)
{
    /// <summary>The bytes of the header.</summary>
    public byte[] ToBytes()
    {
        byte[] header = new byte[FileLayout.RecordBytes];
        BinaryPrimitives.WriteInt64LittleEndian(header, FileLayout.MagicNumber);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), Sections);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), FileLength);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(24), (int)Hashes);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(28), SealBytes);
        TableHash.CopyTo(header.AsSpan(32));
        return header;
    }

    /// <summary>Reads a header, and believes its counts no further than the file's length.</summary>
    /// <exception cref="InvalidDataException">It is not the header of a file that this build reads.</exception>
    public static FileHeader Read(byte[] bytes, long fileLength)
    {
        if (bytes.Length < FileLayout.RecordBytes)
        {
            throw new InvalidDataException("it ends too early");
        }
        if (StoredNumber.Int64(bytes, 0) != FileLayout.MagicNumber)
        {
            throw new InvalidDataException("it is not a Graphene executable");
        }
        byte[] hash = new byte[SectionHash.Size];
        Array.Copy(bytes, 32, hash, 0, hash.Length);
        var header = new FileHeader(
            StoredNumber.Int32(bytes, 8), StoredNumber.Int32(bytes, 12), StoredNumber.Int64(bytes, 16),
            (FileHashKind)StoredNumber.Int32(bytes, 24),
            StoredNumber.Int32(bytes, 28), hash);
        return header.Problem(fileLength) is { } problem ? throw new InvalidDataException(problem) : header;
    }

    private string? Problem(long fileLength)
    {
        if (Version is < FileLayout.OldestVersion or > FileLayout.Version)
        {
            return $"it has format version {Version}, this build reads version {FileLayout.Version}";
        }
        if (FileLength != fileLength)
        {
            return $"it has {fileLength} bytes, {FileLength} were written";
        }
        if (Sections is < 1 or > FileLayout.MaxSections)
        {
            return $"it has {Sections} sections";
        }
        if (Hashes is not (FileHashKind.Fast or FileHashKind.Sha256 or FileHashKind.Blake3))
        {
            return $"its hashes are of kind {(int)Hashes}";
        }
        return SealBytes < 0 || SealBytes > fileLength - (FileLayout.RecordBytes * (1L + Sections))
            ? $"its seal has {SealBytes} bytes"
            : null;
    }
}

/// <summary>One entry of the section table.</summary>
internal sealed record FileSection(FileSectionKind Kind, long Offset, long Length, byte[] Hash)
{
    /// <summary>The byte after the last.</summary>
    public long End => Offset + Length;

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
    /// <param name="table">The bytes that it is in.</param>
    /// <param name="at">Where it begins.</param>
    public static FileSection Read(byte[] table, int at)
    {
        byte[] hash = new byte[SectionHash.Size];
        Array.Copy(table, at + 24, hash, 0, hash.Length);
        return new FileSection(
            (FileSectionKind)StoredNumber.Int32(table, at), StoredNumber.Int64(table, at + 8), StoredNumber.Int64(table, at + 16), hash);
    }
}
