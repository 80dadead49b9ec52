using System.Buffers.Binary;
using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime;

/// <summary>Reads executable files; see <see cref="FileLayout"/>. Nothing in a file is trusted.</summary>
/// <remarks>
/// The hashes find damage, not malice: whoever can write a file can write its hashes, and machine code can do
/// anything. Where
/// files come from is for the caller to know; the disk cache keeps its folder to its user for that reason.
/// </remarks>
internal static unsafe class ExecutableReader
{
    /// <summary>Reads one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="verifyConstants">Whether to compare the constants of the file, which is open, with their hash.</param>
    public static Executable Read(string path, Func<SafeFileHandle, bool> verifyConstants)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, share: FileShare.Read | FileShare.Delete);
            return Read(file, verifyConstants(file));
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new GraphException(
                RuntimeDiagnostics.BadExecutable, $"executable cannot be used: {e.Message}", where: path,
                fix: "compile the model again with this version of Graphene", inner: e);
        }
    }

    private static Executable Read(SafeFileHandle file, bool verifyConstants)
    {
        long length = RandomAccess.GetLength(file);
        ImmutableArray<FileSection> sections = ReadTable(file, length);
        FileSection planSection = sections[0];
        var (plan, names) = PlanReader.Read(ReadSection(file, planSection));
        FileSection[] objectSections = [.. sections.Where(s => s.Kind == FileSectionKind.Object)];
        if (objectSections.Length != names.Length)
        {
            throw new InvalidDataException($"it has {objectSections.Length} objects but names {names.Length}");
        }
        ObjectCode[] objects = [.. objectSections.Select((s, i) => new ObjectCode(names[i], ReadSection(file, s)))];
        FileSection? constantSection = sections[^1].Kind == FileSectionKind.Constants ? sections[^1] : null;
        if (PlanVerifier.Check(plan, constantSection?.Length ?? 0) is { } problem)
        {
            throw new InvalidDataException($"its plan is not sound: {problem}");
        }
        ConstantData constants = constantSection is null
            ? ConstantData.Empty
            : MapConstants(file, constantSection, length, verifyConstants);
        return new Executable(plan, objects, constants);
    }

    private static ImmutableArray<FileSection> ReadTable(SafeFileHandle file, long length)
    {
        byte[] header = ReadExactly(file, 0, FileLayout.RecordBytes);
        if (!header.AsSpan(0, 8).SequenceEqual(FileLayout.Magic))
        {
            throw new InvalidDataException("it is not a Graphene executable");
        }
        int version = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8));
        if (version != FileLayout.Version)
        {
            throw new InvalidDataException(
                $"it has format version {version}, this build reads version {FileLayout.Version}");
        }
        int count = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12));
        long promised = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(16));
        if (promised != length)
        {
            throw new InvalidDataException($"it has {length} bytes, {promised} were written");
        }
        if (count is < 1 or > FileLayout.MaxSections)
        {
            throw new InvalidDataException($"it has {count} sections");
        }
        if (header.AsSpan(24 + SectionHash.Size).ContainsAnyExcept((byte)0))
        {
            throw new InvalidDataException("its header is damaged");
        }
        byte[] table = ReadExactly(file, FileLayout.RecordBytes, count * FileLayout.RecordBytes);
        if (!SectionHash.Compute(table).AsSpan().SequenceEqual(header.AsSpan(24, SectionHash.Size)))
        {
            throw new InvalidDataException("its section table is damaged");
        }
        var sections = ImmutableArray.CreateBuilder<FileSection>(count);
        for (int i = 0; i < count; i++)
        {
            sections.Add(FileSection.Read(table.AsSpan(i * FileLayout.RecordBytes)));
        }
        return CheckTable(sections.MoveToImmutable(), length);
    }

    private static ImmutableArray<FileSection> CheckTable(ImmutableArray<FileSection> sections, long length)
    {
        long end = FileLayout.RecordBytes * (1L + sections.Length);
        for (int i = 0; i < sections.Length; i++)
        {
            FileSection section = sections[i];
            bool kindFits = i == 0 ? section.Kind == FileSectionKind.Plan && section.Length <= FileLayout.MaxPlanBytes
                : section.Kind == FileSectionKind.Object ? section.Length <= Array.MaxLength
                : section.Kind == FileSectionKind.Constants && i == sections.Length - 1;
            if (!kindFits
                || section.Offset < end
                || section.Offset > length
                || section.Offset % FileLayout.AlignmentOf(section.Kind) != 0
                || section.Length < 0
                || section.Length > length - section.Offset)
            {
                throw new InvalidDataException(
                    $"section {i} ({section.Length} bytes at {section.Offset}) is not possible");
            }
            end = section.Offset + section.Length;
        }
        return sections;
    }

    private static byte[] ReadSection(SafeFileHandle file, FileSection section)
    {
        byte[] bytes = ReadExactly(file, section.Offset, (int)section.Length);
        return SectionHash.Compute(bytes).AsSpan().SequenceEqual(section.Hash)
            ? bytes
            : throw new InvalidDataException($"the {section.Kind} section is damaged: its hash differs");
    }

    private static byte[] ReadExactly(SafeFileHandle file, long offset, int length)
    {
        byte[] bytes = new byte[length];
        int done = 0;
        while (done < length)
        {
            int read = RandomAccess.Read(file, bytes.AsSpan(done), offset + done);
            if (read == 0)
            {
                throw new InvalidDataException("it ends too early");
            }
            done += read;
        }
        return bytes;
    }

    private static ConstantData MapConstants(
        SafeFileHandle handle, FileSection section, long expectedLength, bool verify)
    {
        MappedFile file = MappedFile.Open(handle);
        try
        {
            if (file.Length != expectedLength)
            {
                throw new InvalidDataException("its length changed while it was read");
            }
            byte* pointer = file.Pointer + section.Offset;
            if (verify && !SectionHash.ComputeMapped(pointer, section.Length).AsSpan().SequenceEqual(section.Hash))
            {
                throw new InvalidDataException("its constants are damaged: their hash differs");
            }
            return ConstantData.Of(file, section.Offset, section.Length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
