using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Reads what an ELF file of any machine names: objects that were compiled, and libraries that were linked.</summary>
internal static class ObjectSymbols
{
    /// <summary>One symbol.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Section">The section that it lies in; 0 for none.</param>
    /// <param name="IsGlobal">Whether others see it.</param>
    internal readonly record struct Symbol(string Name, int Section, bool IsGlobal);

    /// <summary>The symbols that others must define, sorted; empty for what is not ELF.</summary>
    public static IReadOnlyList<string> Undefined(ReadOnlySpan<byte> file)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Symbol symbol in Read(file))
        {
            if (symbol.Section == 0 && symbol.Name.Length > 0)
            {
                names.Add(symbol.Name);
            }
        }
        return [.. names];
    }

    /// <summary>All symbols of an ELF-64 file; none of what is not ELF, such as a WebAssembly object.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="isDynamic">True for those that a shared library has for others.</param>
    /// <exception cref="ObjectLoadException">A part that the file speaks of is not in it.</exception>
    public static List<Symbol> Read(ReadOnlySpan<byte> bytes, bool isDynamic = false)
    {
        var symbols = new List<Symbol>();
        if (!bytes.StartsWith("\u007FELF"u8))
        {
            return symbols;
        }
        var file = new ElfReader(bytes, "object");
        ReadOnlySpan<byte> header = file.Slice(0, ElfConstants.HeaderSize, "the ELF header");
        int count = ElfReader.U16(header, 60);
        ReadOnlySpan<byte> table = file.Slice(
            ElfReader.U64(header, 40), (ulong)count * ElfConstants.SectionHeaderSize, "the section table");
        for (int i = 0; i < count; i++)
        {
            ElfSectionHeader section = Section(table, i);
            if (section.Type == (isDynamic ? ElfConstants.SectionDynamicSymbolTable : ElfConstants.SectionSymbolTable))
            {
                ElfSectionHeader names = Section(table, (int)section.Link);
                Read(file, Content(file, section), Content(file, names), symbols);
            }
        }
        return symbols;
    }

    private static void Read(ElfReader file, ReadOnlySpan<byte> table, ReadOnlySpan<byte> names, List<Symbol> symbols)
    {
        for (int i = 0; i < table.Length; i += ElfConstants.SymbolSize)
        {
            symbols.Add(new Symbol(
                file.Name(names, ElfReader.U32(table, i)), ElfReader.U16(table, i + 6), table[i + 4] >> 4 != ElfConstants.BindLocal));
        }
    }

    private static ElfSectionHeader Section(ReadOnlySpan<byte> table, int index) =>
        ElfSectionHeader.Read(table[(ElfConstants.SectionHeaderSize * index)..]);

    private static ReadOnlySpan<byte> Content(ElfReader file, ElfSectionHeader section) =>
        file.Slice(section.Offset, section.Size, "a section");
}
