using static Graphene.Runtime.ElfConstants;

namespace Graphene.Runtime;

/// <summary>A relocatable ELF-64 object, read and checked: whatever it refers to is there.</summary>
/// <remarks>
/// The bytes are not trusted. Work and memory are bounded by a small multiple of the file's size, except for the size
/// of zero-filled sections, which <see cref="MaxSectionSize"/> bounds.
/// </remarks>
internal sealed class ElfObject
{
    /// <summary>The largest section. Addresses reach 2 GiB; the machine code of graphs is far smaller.</summary>
    public const long MaxSectionSize = 256L << 20;

    /// <summary>The largest alignment of a section; every system's page size is a multiple of it.</summary>
    public const int MaxAlignment = 4096;

    private ElfObject(
        string name, ElfMachine machine, ElfSection[] sections, ElfSymbol[] symbols, ElfRelocation[] relocations)
    {
        Name = name;
        Machine = machine;
        Sections = sections;
        Symbols = symbols;
        Relocations = relocations;
    }

    public string Name { get; }

    public ElfMachine Machine { get; }

    public ElfSection[] Sections { get; }

    public ElfSymbol[] Symbols { get; }

    public ElfRelocation[] Relocations { get; }

    /// <exception cref="ObjectLoadException">The bytes are not an object that can be loaded.</exception>
    public static ElfObject Parse(ReadOnlyMemory<byte> bytes, string name)
    {
        var file = new ElfReader(bytes.Span, name);
        ReadOnlySpan<byte> header = file.Slice(0, HeaderSize, "the ELF header");
        ElfMachine machine = CheckHeader(file, header);

        int count = ElfReader.U16(header, 60);
        ReadOnlySpan<byte> table = file.Slice(
            ElfReader.U64(header, 40), (ulong)count * SectionHeaderSize, "the section table");
        var headers = new ElfSectionHeader[count];
        for (int i = 0; i < count; i++)
        {
            headers[i] = ElfSectionHeader.Read(table[(i * SectionHeaderSize)..]);
        }

        ElfSection[] sections = ElfSectionTable.Read(file, bytes, headers, nameTable: ElfReader.U16(header, 62));
        ElfSymbol[] symbols = ElfSymbolTable.Read(file, headers, sections);
        ElfRelocation[] relocations = ElfRelocationTable.Read(file, headers, sections, symbols.Length);
        return new ElfObject(name, machine, sections, symbols, relocations);
    }

    private static ElfMachine CheckHeader(ElfReader file, ReadOnlySpan<byte> header)
    {
        if (ElfReader.U32(header, 0) != Magic)
        {
            throw file.Fail("it is not an ELF file");
        }

        if (header[4] != Class64 || header[5] != LittleEndian || header[6] != CurrentVersion)
        {
            throw file.Fail("it is not a 64-bit little-endian ELF file of version 1");
        }

        if (ElfReader.U16(header, 16) != TypeRelocatable)
        {
            throw file.Fail("it is not a relocatable object but a linked program or library");
        }

        ushort machine = ElfReader.U16(header, 18);
        if (machine is not ((ushort)ElfMachine.X64 or (ushort)ElfMachine.Arm64))
        {
            throw file.Fail($"it is for {ElfMachines.Name(machine)}");
        }

        if (ElfReader.U16(header, 58) != SectionHeaderSize || ElfReader.U16(header, 60) == 0)
        {
            throw file.Fail("it has no section table of the usual form");
        }

        return (ElfMachine)machine;
    }
}
