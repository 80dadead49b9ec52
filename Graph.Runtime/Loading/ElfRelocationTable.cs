using static Graphene.Runtime.ElfConstants;

namespace Graphene.Runtime;

/// <summary>Reads the relocations of the sections that are loaded.</summary>
internal static class ElfRelocationTable
{
    public static ElfRelocation[] Read(
        ElfReader file, ElfSectionHeader[] headers, ElfSection[] sections, int symbolCount)
    {
        RequireDisjoint(file, headers);
        var relocations = new ElfRelocation[Most(headers)];
        int count = 0;
        foreach (ElfSectionHeader header in headers)
        {
            if (header.Type is not (SectionRelocations or SectionRelocationsWithAddend))
            {
                continue;
            }

            if (header.Info == 0 || header.Info >= (uint)sections.Length)
            {
                throw file.Fail("it has relocations for a section that does not exist");
            }

            ElfSection target = sections[header.Info];
            if (target.Kind == SectionKind.Ignored)
            {
                continue;
            }

            if (header.Type == SectionRelocations || header.EntrySize != RelocationSize
                || header.Size % RelocationSize != 0)
            {
                throw file.Fail($"the relocations of section '{target.Name}' have no addends or an unknown size");
            }

            ReadOnlySpan<byte> table = file.Slice(header.Offset, header.Size, $"relocations of '{target.Name}'");
            for (int at = 0; at < table.Length; at += RelocationSize)
            {
                relocations[count++] = Read(file, target, (int)header.Info, table[at..], symbolCount);
            }
        }

        if (count == relocations.Length)
        {
            return relocations;
        }

        var loaded = new ElfRelocation[count];
        Array.Copy(relocations, loaded, count);
        return loaded;
    }

    // How many there are if all tables count; together they are no larger than the file.
    private static int Most(ElfSectionHeader[] headers)
    {
        ulong most = 0;
        foreach (ElfSectionHeader header in headers)
        {
            most += header.Type == SectionRelocationsWithAddend ? header.Size / RelocationSize : 0;
        }

        return (int)most;
    }

    // A file could otherwise have many tables over the same bytes and cost more than its size.
    private static void RequireDisjoint(ElfReader file, ElfSectionHeader[] headers)
    {
        ulong room = (ulong)file.Length;
        foreach (ElfSectionHeader header in headers)
        {
            if (header.Type == SectionRelocationsWithAddend)
            {
                if (header.Size > room)
                {
                    throw file.Fail("its relocations are larger than the file or overlap each other");
                }

                room -= header.Size;
            }
        }
    }

    private static ElfRelocation Read(
        ElfReader file, ElfSection target, int section, ReadOnlySpan<byte> at, int symbolCount)
    {
        ulong offset = ElfReader.U64(at, 0);
        uint type = ElfReader.U32(at, 8);
        uint symbol = ElfReader.U32(at, 12);
        if (target.Kind == SectionKind.ZeroData || offset >= (ulong)target.Size)
        {
            throw file.Fail($"a relocation lies outside of section '{target.Name}'");
        }

        if (symbol >= (uint)symbolCount)
        {
            throw file.Fail($"a relocation of section '{target.Name}' names a symbol that does not exist");
        }

        return new ElfRelocation(section, (long)offset, type, (int)symbol, (long)ElfReader.U64(at, 16));
    }
}
