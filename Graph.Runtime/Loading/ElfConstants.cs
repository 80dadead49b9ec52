namespace Graphene.Runtime;

/// <summary>Numbers of the ELF-64 object file format (System V ABI, chapter 4) that the loader looks at.</summary>
internal static class ElfConstants
{
    public const uint Magic = 0x464C457F; // 7F, and the letters ELF
    public const int HeaderSize = 64;
    public const int SectionHeaderSize = 64;
    public const int SymbolSize = 24;
    public const int RelocationSize = 24;

    // Those of 32-bit files, which tools read and nobody loads.
    public const int HeaderSize32 = 52;
    public const int SectionHeaderSize32 = 40;
    public const int SymbolSize32 = 16;

    public const int ClassAt = 4;
    public const byte Class64 = 2;
    public const byte LittleEndian = 1;
    public const byte CurrentVersion = 1;
    public const ushort TypeRelocatable = 1;

    public const uint SectionProgramBits = 1;
    public const uint SectionSymbolTable = 2;
    public const uint SectionStringTable = 3;
    public const uint SectionRelocationsWithAddend = 4;
    public const uint SectionNoBits = 8;
    public const uint SectionRelocations = 9;
    public const uint SectionDynamicSymbolTable = 11;
    public const uint SectionInitArray = 14;
    public const uint SectionFiniArray = 15;
    public const uint SectionPreinitArray = 16;

    public const ulong FlagWrite = 1;
    public const ulong FlagAllocate = 2;
    public const ulong FlagExecute = 4;
    public const ulong FlagThreadLocal = 0x400;

    public const int BindLocal = 0;
    public const int BindGlobal = 1;
    public const int BindWeak = 2;

    public const int SymbolNoType = 0;
    public const int SymbolObject = 1;
    public const int SymbolFunction = 2;
    public const int SymbolSection = 3;
    public const int SymbolFile = 4;

    public const ushort IndexUndefined = 0;
    public const ushort IndexFirstReserved = 0xff00;
    public const ushort IndexAbsolute = 0xfff1;
}
