using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Graphene.Codegen.Aot;

/// <summary>The file that holds the constants of libraries which do not carry them: to be mapped, and shared by several.</summary>
/// <remarks>
/// <code>
/// 0     "GRAPHWT1", then eight-byte numbers: version, bytes of the file, where the list is, how many entries it has
/// 40    SHA-256 of the list
/// 4096  the constants, each at a multiple of 64
/// end   the list: for each constant its SHA-256, its offset and its size
/// </code>
/// A constant is known by its hash. When a second library is compiled into a file, what is there keeps its place, so that libraries
/// compiled before go on to work.
/// </remarks>
public static class WeightsFile
{
    /// <summary>The first eight bytes as a number.</summary>
    internal static readonly long Magic = BinaryPrimitives.ReadInt64LittleEndian("GRAPHWT1"u8);

    /// <summary>Where the constants begin.</summary>
    internal const int Start = 4096;

    private const long Version = 1;
    private const int HashAt = 40;
    private const int EntryBytes = SHA256.HashSizeInBytes + (2 * sizeof(long));

    /// <summary>Reads the list of a file, and checks every constant of it.</summary>
    /// <exception cref="GraphException">GR5034: it is not such a file, or it is damaged.</exception>
    internal static SharedConstants Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < Start || Number(file, 0) != Magic)
        {
            throw Damaged("it does not begin as one");
        }
        if (Number(file, 8) != Version)
        {
            throw Damaged(FormattableString.Invariant($"it has version {Number(file, 8)}, this compiler writes version {Version}"));
        }
        long listAt = Number(file, 24);
        long count = Number(file, 32);
        if (Number(file, 16) != file.Length || listAt < Start || listAt > file.Length || count < 0
            || count != (file.Length - listAt) / EntryBytes || (file.Length - listAt) % EntryBytes != 0)
        {
            throw Damaged("its size is not what it says");
        }
        ReadOnlySpan<byte> list = file[(int)listAt..];
        if (!SHA256.HashData(list).AsSpan().SequenceEqual(file.Slice(HashAt, SHA256.HashSizeInBytes)))
        {
            throw Damaged("its list of constants has another hash than it says");
        }
        var constants = new SharedConstants(Start);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> row = list.Slice(i * EntryBytes, EntryBytes);
            byte[] hash = row[..SHA256.HashSizeInBytes].ToArray();
            (long offset, long length) = (Number(row, SHA256.HashSizeInBytes), Number(row, SHA256.HashSizeInBytes + sizeof(long)));
            if (offset < Start || length < 0 || offset > listAt - length
                || !SHA256.HashData(file.Slice((int)offset, (int)length)).AsSpan().SequenceEqual(hash))
            {
                throw Damaged(FormattableString.Invariant($"constant {i} has another hash than it says"));
            }
            constants.Know(new SharedConstants.Entry(hash, offset, length));
        }
        return constants;
    }

    /// <summary>Writes a file.</summary>
    /// <param name="constants">What it holds.</param>
    /// <param name="existing">The file as it was, whose constants stay.</param>
    internal static byte[] Write(SharedConstants constants, ReadOnlySpan<byte> existing)
    {
        long listAt = NativePlan.RoundedUp(Math.Max(constants.End, Start));
        var file = new byte[checked((int)(listAt + ((long)constants.Entries.Count * EntryBytes)))];
        foreach (SharedConstants.Entry entry in constants.Entries)
        {
            if (entry.Offset + entry.Length <= existing.Length)
            {
                existing.Slice((int)entry.Offset, (int)entry.Length).CopyTo(file.AsSpan((int)entry.Offset));
            }
        }
        constants.WriteTo(file);
        Span<byte> list = file.AsSpan((int)listAt);
        for (int i = 0; i < constants.Entries.Count; i++)
        {
            Span<byte> row = list.Slice(i * EntryBytes, EntryBytes);
            constants.Entries[i].Hash.CopyTo(row);
            BinaryPrimitives.WriteInt64LittleEndian(row[SHA256.HashSizeInBytes..], constants.Entries[i].Offset);
            BinaryPrimitives.WriteInt64LittleEndian(row[(SHA256.HashSizeInBytes + sizeof(long))..], constants.Entries[i].Length);
        }
        long[] header = [Magic, Version, file.Length, listAt, constants.Entries.Count];
        for (int i = 0; i < header.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(i * sizeof(long)), header[i]);
        }
        SHA256.HashData(list, file.AsSpan(HashAt, SHA256.HashSizeInBytes));
        return file;
    }

    private static long Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static GraphException Damaged(string why) => new(
        AotDiagnostics.WeightsFile, "the weights file cannot be extended", why: why,
        fix: "delete it, and compile all libraries that share it again");
}
