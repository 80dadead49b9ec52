using static Graphene.Runtime.ElfConstants;

namespace Graphene.Runtime;

/// <summary>One entry of the section table as it stands in the file, unchecked.</summary>
internal readonly record struct ElfSectionHeader(
    uint Name, uint Type, ulong Flags, ulong Offset, ulong Size, uint Link, uint Info, ulong Alignment, ulong EntrySize)
{
    public static ElfSectionHeader Read(ReadOnlySpan<byte> at) => new(
        Name: ElfReader.U32(at, 0),
        Type: ElfReader.U32(at, 4),
        Flags: ElfReader.U64(at, 8),
        Offset: ElfReader.U64(at, 24),
        Size: ElfReader.U64(at, 32),
        Link: ElfReader.U32(at, 40),
        Info: ElfReader.U32(at, 44),
        Alignment: ElfReader.U64(at, 48),
        EntrySize: ElfReader.U64(at, 56));
}

/// <summary>Decides which sections are loaded and checks those that are.</summary>
internal static class ElfSectionTable
{
    public static ElfSection[] Read(
        ElfReader file, ReadOnlyMemory<byte> bytes, ElfSectionHeader[] headers, int nameTable)
    {
        if (nameTable >= headers.Length || headers[nameTable].Type != SectionStringTable)
        {
            throw file.Fail("the table of section names is missing");
        }

        ReadOnlySpan<byte> names = file.Slice(
            headers[nameTable].Offset, headers[nameTable].Size, "the table of section names");
        var sections = new ElfSection[headers.Length];
        for (int i = 0; i < headers.Length; i++)
        {
            string name = i == 0 ? string.Empty : file.Name(names, headers[i].Name);
            sections[i] = Read(file, bytes, headers[i], name);
        }

        // A small file could otherwise describe a large image by naming the same bytes many times.
        long contents = 0;
        foreach (ElfSection section in sections)
        {
            contents += section.Contents.Length;
        }
        if (contents > file.Length)
        {
            throw file.Fail("its sections overlap each other");
        }

        return sections;
    }

    private static ElfSection Read(ElfReader file, ReadOnlyMemory<byte> bytes, in ElfSectionHeader header, string name)
    {
        SectionKind kind = Classify(file, header, name);
        if (kind == SectionKind.Ignored)
        {
            return new ElfSection(name, kind, default, 0, 1);
        }

        if (header.Size > ElfObject.MaxSectionSize)
        {
            throw file.Fail($"section '{name}' is larger than {ElfObject.MaxSectionSize} bytes");
        }

        if (header.Alignment > ElfObject.MaxAlignment || (header.Alignment & (header.Alignment - 1)) != 0)
        {
            throw file.Fail($"section '{name}' wants the alignment {header.Alignment}");
        }

        int alignment = Math.Max(1, (int)header.Alignment);
        if (kind == SectionKind.ZeroData)
        {
            return new ElfSection(name, kind, default, (long)header.Size, alignment);
        }

        _ = file.Slice(header.Offset, header.Size, $"section '{name}'");
        return new ElfSection(
            name, kind, bytes.Slice((int)header.Offset, (int)header.Size), (long)header.Size, alignment);
    }

    private static SectionKind Classify(ElfReader file, in ElfSectionHeader header, string name)
    {
        // Unwind tables are for exceptions, and no exception passes through compiled graphs.
        if ((header.Flags & FlagAllocate) == 0 || name == ".eh_frame")
        {
            return SectionKind.Ignored;
        }

        if (header.Type is SectionInitArray or SectionFiniArray or SectionPreinitArray)
        {
            throw file.Fail($"section '{name}' holds functions to be run at load time, which are not supported");
        }

        if (header.Type is not (SectionProgramBits or SectionNoBits))
        {
            return SectionKind.Ignored;
        }

        if ((header.Flags & FlagThreadLocal) != 0)
        {
            throw file.Fail($"section '{name}' holds thread-local variables, which are not supported");
        }

        bool writable = (header.Flags & FlagWrite) != 0;
        bool executable = (header.Flags & FlagExecute) != 0;
        if (executable && (writable || header.Type == SectionNoBits))
        {
            throw file.Fail($"section '{name}' holds code that could be written to");
        }

        // .data.rel.ro is written to by relocation alone, and that comes before the memory is protected.
        return executable ? SectionKind.Code
            : header.Type == SectionNoBits ? SectionKind.ZeroData
            : writable && !name.StartsWith(".data.rel.ro", StringComparison.Ordinal) ? SectionKind.Data
            : SectionKind.ReadOnly;
    }
}
