using System.Buffers.Binary;
using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>Reads what an ELF object of ours names: it was written a moment ago, so it is trusted.</summary>
internal static class ObjectSymbols
{
    private const int SymbolTable = 2;
    private const int DynamicSymbolTable = 11;
    private const int SymbolBytes = 24;

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

    /// <summary>One symbol.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Section">The section that it lies in; 0 for none.</param>
    /// <param name="IsGlobal">Whether others see it.</param>
    internal readonly record struct Symbol(string Name, int Section, bool IsGlobal);

    /// <summary>All symbols of an ELF-64 file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isDynamic">True for those that a shared library has for others.</param>
    public static List<Symbol> Read(ReadOnlySpan<byte> file, bool isDynamic = false)
    {
        var symbols = new List<Symbol>();
        if (file.Length < 64 || !file[..4].SequenceEqual("\u007FELF"u8))
        {
            return symbols;
        }
        int at = (int)BinaryPrimitives.ReadInt64LittleEndian(file[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file.Slice(at + (64 * i), 64);
            if (BinaryPrimitives.ReadInt32LittleEndian(section[4..]) == (isDynamic ? DynamicSymbolTable : SymbolTable))
            {
                int names = BinaryPrimitives.ReadInt32LittleEndian(section[40..]);
                Read(Content(file, section), Content(file, file.Slice(at + (64 * names), 64)), symbols);
            }
        }
        return symbols;
    }

    private static void Read(ReadOnlySpan<byte> table, ReadOnlySpan<byte> names, List<Symbol> symbols)
    {
        for (int i = 0; i < table.Length; i += SymbolBytes)
        {
            ReadOnlySpan<byte> name = names[BinaryPrimitives.ReadInt32LittleEndian(table[i..])..];
            symbols.Add(new Symbol(
                Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]), BinaryPrimitives.ReadUInt16LittleEndian(table[(i + 6)..]),
                table[i + 4] >> 4 != 0));
        }
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> file, ReadOnlySpan<byte> section) => file.Slice(
        (int)BinaryPrimitives.ReadInt64LittleEndian(section[24..]), (int)BinaryPrimitives.ReadInt64LittleEndian(section[32..]));
}
