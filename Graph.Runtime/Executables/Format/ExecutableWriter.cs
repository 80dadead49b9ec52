using System.Buffers.Binary;

namespace Graphene.Runtime;

/// <summary>Writes executables; see <see cref="FileLayout"/>. The stream need not be seekable.</summary>
internal static unsafe class ExecutableWriter
{
    /// <summary>Writes one executable.</summary>
    public static void Write(Executable executable, Stream stream)
    {
        byte[] plan = PlanWriter.Write(executable.Plan, executable.Objects);
        ConstantData constants = executable.Constants;
        var sections = new List<FileSection>();
        int count = 1 + executable.Objects.Count + (constants.Length > 0 ? 1 : 0);
        if (count > FileLayout.MaxSections)
        {
            throw new CompilerBugException(
                "executable file",
                $"{executable.Objects.Count} objects, at most {FileLayout.MaxSections - 2} are possible");
        }
        long end = FileLayout.RecordBytes * (1L + count);
        void Add(FileSectionKind kind, long length, byte[] hash)
        {
            long offset = FileLayout.Align(end, FileLayout.AlignmentOf(kind));
            sections.Add(new FileSection(kind, offset, length, hash));
            end = offset + length;
        }
        Add(FileSectionKind.Plan, plan.Length, SectionHash.Compute(plan));
        foreach (ObjectCode code in executable.Objects)
        {
            Add(FileSectionKind.Object, code.Bytes.Length, SectionHash.Compute(code.Bytes.Span));
        }
        if (constants.Length > 0)
        {
            Add(FileSectionKind.Constants, constants.Length, SectionHash.Compute(constants.Pointer, constants.Length));
        }
        WriteHeader(stream, sections, end);
        long position = FileLayout.RecordBytes * (1L + count);
        for (int i = 0; i < sections.Count; i++)
        {
            stream.Write(new byte[sections[i].Offset - position]);
            if (sections[i].Kind == FileSectionKind.Constants)
            {
                WriteMemory(stream, constants);
            }
            else
            {
                stream.Write(i == 0 ? plan : executable.Objects[i - 1].Bytes.Span);
            }
            position = sections[i].Offset + sections[i].Length;
        }
    }

    private static void WriteHeader(Stream stream, List<FileSection> sections, long fileLength)
    {
        byte[] table = new byte[sections.Count * FileLayout.RecordBytes];
        for (int i = 0; i < sections.Count; i++)
        {
            sections[i].Write(table.AsSpan(i * FileLayout.RecordBytes, FileLayout.RecordBytes));
        }
        byte[] header = new byte[FileLayout.RecordBytes];
        FileLayout.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), FileLayout.Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), sections.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), fileLength);
        SectionHash.Compute(table).CopyTo(header.AsSpan(24));
        stream.Write(header);
        stream.Write(table);
    }

    private static void WriteMemory(Stream stream, ConstantData constants)
    {
        const int Piece = 1 << 24;
        for (long offset = 0; offset < constants.Length; offset += Piece)
        {
            stream.Write(constants.Bytes(offset, (int)Math.Min(Piece, constants.Length - offset)));
        }
    }
}
