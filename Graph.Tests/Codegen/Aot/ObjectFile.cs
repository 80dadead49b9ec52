using System.Buffers.Binary;
using System.Text;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>What an object file says of its machine and its symbols; for ELF of any machine, and WebAssembly.</summary>
/// <param name="Machine">The ELF number of the machine; 0 for WebAssembly.</param>
/// <param name="Defined">Global symbols that are in it.</param>
/// <param name="Undefined">Symbols that it needs.</param>
internal sealed record ObjectFile(int Machine, HashSet<string> Defined, HashSet<string> Undefined)
{
    public const int X64 = 62;
    public const int Arm64 = 183;
    public const int RiscV = 243;
    public const int Arm32 = 40;

    private const int SymbolTable = 2;
    private const int LinkingSymbols = 8;

    public static ObjectFile Read(ReadOnlySpan<byte> file) => file.StartsWith("\0asm"u8) ? ReadWasm(file) : ReadElf(file);

    private static ObjectFile ReadElf(ReadOnlySpan<byte> file)
    {
        var symbols = new ObjectFile(BinaryPrimitives.ReadUInt16LittleEndian(file[18..]), [], []);
        if (file[4] == 1)
        {
            ReadElf32(file, symbols);
            return symbols;
        }
        int sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.Slice(sections + (64 * i), 64);
            if (BinaryPrimitives.ReadInt32LittleEndian(header[4..]) != SymbolTable)
            {
                continue;
            }
            int names = (int)Offset(file, sections, BinaryPrimitives.ReadInt32LittleEndian(header[40..]));
            ReadOnlySpan<byte> table = file.Slice(
                (int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), (int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..]));
            for (int at = 24; at < table.Length; at += 24)
            {
                string name = Text(file[(names + BinaryPrimitives.ReadInt32LittleEndian(table[at..]))..]);
                bool isGlobal = table[at + 4] >> 4 != 0;
                bool isDefined = BinaryPrimitives.ReadUInt16LittleEndian(table[(at + 6)..]) != 0;
                if (name.Length > 0 && isGlobal)
                {
                    (isDefined ? symbols.Defined : symbols.Undefined).Add(name);
                }
            }
        }
        return symbols;
    }

    private static void ReadElf32(ReadOnlySpan<byte> file, ObjectFile symbols)
    {
        int sections = BinaryPrimitives.ReadInt32LittleEndian(file[32..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[48..]);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.Slice(sections + (40 * i), 40);
            if (BinaryPrimitives.ReadInt32LittleEndian(header[4..]) != SymbolTable)
            {
                continue;
            }
            int last = sections + (40 * BinaryPrimitives.ReadInt32LittleEndian(header[24..]));
            int names = BinaryPrimitives.ReadInt32LittleEndian(file[(last + 16)..]);
            ReadOnlySpan<byte> table = file.Slice(
                BinaryPrimitives.ReadInt32LittleEndian(header[16..]), BinaryPrimitives.ReadInt32LittleEndian(header[20..]));
            for (int at = 16; at < table.Length; at += 16)
            {
                string name = Text(file[(names + BinaryPrimitives.ReadInt32LittleEndian(table[at..]))..]);
                if (name.Length > 0 && table[at + 12] >> 4 != 0)
                {
                    (BinaryPrimitives.ReadUInt16LittleEndian(table[(at + 14)..]) != 0 ? symbols.Defined : symbols.Undefined).Add(name);
                }
            }
        }
    }

    private static ulong Offset(ReadOnlySpan<byte> file, int sections, int section) =>
        BinaryPrimitives.ReadUInt64LittleEndian(file[(sections + (64 * section) + 24)..]);

    private static string Text(ReadOnlySpan<byte> from) => Encoding.UTF8.GetString(from[..from.IndexOf((byte)0)]);

    // Imports name what is not there; the symbol table of the custom section "linking" says which functions are used at all.
    private static ObjectFile ReadWasm(ReadOnlySpan<byte> file)
    {
        var symbols = new ObjectFile(0, [], []);
        var imports = new List<string>();
        int at = 8;
        while (at < file.Length)
        {
            byte id = file[at++];
            int length = (int)Number(file, ref at);
            ReadOnlySpan<byte> section = file.Slice(at, length);
            at += length;
            int p = 0;
            if (id == 2)
            {
                ReadImports(section, imports);
            }
            else if (id == 0 && Name(section, ref p) == "linking")
            {
                ReadLinking(section[(p + 1)..], imports, symbols);
            }
        }
        return symbols;
    }

    private static void ReadImports(ReadOnlySpan<byte> section, List<string> functions)
    {
        int p = 0;
        for (uint left = Number(section, ref p); left > 0; left--)
        {
            _ = Name(section, ref p);
            string name = Name(section, ref p);
            byte kind = section[p++];
            switch (kind)
            {
                case 0:
                    functions.Add(name);
                    _ = Number(section, ref p);
                    break;
                case 1:
                    p++; // the table's type, then its limits
                    goto case 2;
                case 2:
                    bool hasMaximum = (section[p++] & 1) != 0;
                    _ = Number(section, ref p);
                    _ = hasMaximum ? Number(section, ref p) : 0;
                    break;
                case 3:
                    p += 2;
                    break;
                default:
                    throw new InvalidDataException($"import '{name}' of kind {kind}");
            }
        }
    }

    private static void ReadLinking(ReadOnlySpan<byte> section, List<string> imports, ObjectFile symbols)
    {
        int at = 0;
        while (at < section.Length)
        {
            byte kind = section[at++];
            int length = (int)Number(section, ref at);
            if (kind == LinkingSymbols)
            {
                ReadSymbols(section.Slice(at, length), imports, symbols);
            }
            at += length;
        }
    }

    private static void ReadSymbols(ReadOnlySpan<byte> table, List<string> imports, ObjectFile symbols)
    {
        const uint Local = 2;
        const uint Missing = 0x10;
        const uint ExplicitName = 0x40;
        int p = 0;
        for (uint left = Number(table, ref p); left > 0; left--)
        {
            byte kind = table[p++];
            uint flags = Number(table, ref p);
            bool isMissing = (flags & Missing) != 0;
            string name = "";
            if (kind == 1) // data
            {
                name = Name(table, ref p);
                for (int i = 0; i < 3 && !isMissing; i++)
                {
                    _ = Number(table, ref p);
                }
            }
            else if (kind == 3) // a section
            {
                _ = Number(table, ref p);
                continue;
            }
            else
            {
                uint index = Number(table, ref p);
                name = !isMissing || (flags & ExplicitName) != 0 ? Name(table, ref p)
                    : kind == 0 ? imports[(int)index] : "";
            }
            if (name.Length > 0 && (flags & Local) == 0 && kind is 0 or 1)
            {
                (isMissing ? symbols.Undefined : symbols.Defined).Add(name);
            }
        }
    }

    private static string Name(ReadOnlySpan<byte> from, ref int at)
    {
        int length = (int)Number(from, ref at);
        at += length;
        return Encoding.UTF8.GetString(from.Slice(at - length, length));
    }

    // LEB128
    private static uint Number(ReadOnlySpan<byte> from, ref int at)
    {
        uint value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = from[at++];
            value |= (uint)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
