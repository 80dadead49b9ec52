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

    /// <summary>All symbols of an ELF file; none of what is not ELF, such as a WebAssembly object.</summary>
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
        bool is64 = bytes.Length > ElfConstants.ClassAt && bytes[ElfConstants.ClassAt] == ElfConstants.Class64;
        ReadOnlySpan<byte> header = file.Slice(0, (ulong)(is64 ? ElfConstants.HeaderSize : ElfConstants.HeaderSize32), "the ELF header");
        int count = ElfReader.U16(header, is64 ? 60 : 48);
        ReadOnlySpan<byte> table = file.Slice(
            is64 ? ElfReader.U64(header, 40) : ElfReader.U32(header, 32), (ulong)count * SectionBytes(is64), "the section table");
        for (int i = 0; i < count; i++)
        {
            ElfSectionHeader section = Section(table, i, is64);
            if (section.Type == (isDynamic ? ElfConstants.SectionDynamicSymbolTable : ElfConstants.SectionSymbolTable))
            {
                ElfSectionHeader names = Section(table, (int)section.Link, is64);
                Read(file, Content(file, section), Content(file, names), is64, symbols);
            }
        }
        return symbols;
    }

    private static ulong SectionBytes(bool is64) =>
        (ulong)(is64 ? ElfConstants.SectionHeaderSize : ElfConstants.SectionHeaderSize32);

    private static void Read(ElfReader file, ReadOnlySpan<byte> table, ReadOnlySpan<byte> names, bool is64, List<Symbol> symbols)
    {
        int size = is64 ? ElfConstants.SymbolSize : ElfConstants.SymbolSize32;
        int bindAt = is64 ? 4 : 12;
        for (int i = 0; i < table.Length; i += size)
        {
            symbols.Add(new Symbol(
                file.Name(names, ElfReader.U32(table, i)), ElfReader.U16(table, i + bindAt + 2),
                table[i + bindAt] >> 4 != ElfConstants.BindLocal));
        }
    }

    private static ElfSectionHeader Section(ReadOnlySpan<byte> table, int index, bool is64)
    {
        ReadOnlySpan<byte> at = table[((int)SectionBytes(is64) * index)..];
        return is64
            ? ElfSectionHeader.Read(at)
            : new ElfSectionHeader(
                ElfReader.U32(at, 0), ElfReader.U32(at, 4), ElfReader.U32(at, 8), ElfReader.U32(at, 16), ElfReader.U32(at, 20),
                ElfReader.U32(at, 24), ElfReader.U32(at, 28), ElfReader.U32(at, 32), ElfReader.U32(at, 36));
    }

    private static ReadOnlySpan<byte> Content(ElfReader file, ElfSectionHeader section) =>
        file.Slice(section.Offset, section.Size, "a section");
}
