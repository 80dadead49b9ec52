using static Graphene.Runtime.ElfConstants;

namespace Graphene.Runtime;

/// <summary>Reads the symbol table and checks that every symbol lies in its section.</summary>
internal static class ElfSymbolTable
{
    // Names may share their ends in the string table; a hostile file shares one long name among all symbols.
    private const int NameBytesPerFileByte = 8;

    // The first symbol stands for none.
    private static readonly ElfSymbol Null = new(string.Empty, ElfSymbol.Undefined, 0, false, false, false);

    public static ElfSymbol[] Read(ElfReader file, ElfSectionHeader[] headers, ElfSection[] sections)
    {
        int index = -1;
        int tables = 0;
        for (int i = headers.Length - 1; i >= 0; i--)
        {
            if (headers[i].Type == SectionSymbolTable)
            {
                index = i;
                tables++;
            }
        }
        if (index < 0)
        {
            return [Null];
        }

        ElfSectionHeader header = headers[index];
        if (tables > 1)
        {
            throw file.Fail("it has more than one symbol table");
        }

        if (header.EntrySize != SymbolSize || header.Size % SymbolSize != 0)
        {
            throw file.Fail("the symbol table has entries of an unknown size");
        }

        if (header.Link >= (uint)headers.Length || headers[header.Link].Type != SectionStringTable)
        {
            throw file.Fail("the symbol table has no string table");
        }

        ReadOnlySpan<byte> names = file.Slice(
            headers[header.Link].Offset, headers[header.Link].Size, "the table of symbol names");
        ReadOnlySpan<byte> table = file.Slice(header.Offset, header.Size, "the symbol table");
        var symbols = new ElfSymbol[Math.Max(1, table.Length / SymbolSize)];
        symbols[0] = Null;
        long nameBytes = 0;
        for (int i = 1; i < symbols.Length; i++)
        {
            symbols[i] = Read(file, sections, names, table[(i * SymbolSize)..]);
            nameBytes += symbols[i].Name.Length;
            if (nameBytes > (long)file.Length * NameBytesPerFileByte)
            {
                throw file.Fail("the names of its symbols are longer than the file");
            }
        }

        return symbols;
    }

    private static ElfSymbol Read(
        ElfReader file, ElfSection[] sections, ReadOnlySpan<byte> names, ReadOnlySpan<byte> at)
    {
        int bind = at[4] >> 4;
        int type = at[4] & 15;
        ushort index = ElfReader.U16(at, 6);
        ulong value = ElfReader.U64(at, 8);
        string name = bind == BindLocal ? string.Empty : file.Name(names, ElfReader.U32(at, 0));

        int section = index switch
        {
            IndexUndefined => ElfSymbol.Undefined,
            IndexAbsolute => ElfSymbol.Absolute,
            >= IndexFirstReserved => ElfSymbol.Unsupported,
            _ => index,
        };
        if (type > SymbolFile || bind > BindWeak)
        {
            section = ElfSymbol.Unsupported;
        }

        if (section > 0)
        {
            if (section >= sections.Length)
            {
                throw file.Fail($"symbol '{name}' is in a section that does not exist");
            }

            if (sections[section].Kind != SectionKind.Ignored && value > (ulong)sections[section].Size)
            {
                throw file.Fail($"symbol '{name}' lies outside of section '{sections[section].Name}'");
            }
        }

        return new ElfSymbol(
            name,
            section,
            value,
            IsGlobal: bind is BindGlobal or BindWeak,
            IsWeak: bind == BindWeak,
            IsFunction: type == SymbolFunction);
    }
}
