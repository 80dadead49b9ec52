using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>
/// A linked WebAssembly module, section by section: what the linker cannot do is done here. Memory is sized exactly, bytes are placed
/// at addresses that are known only after linking, and what nobody outside needs is no longer exported.
/// </summary>
/// <remarks>The format is that of the WebAssembly core specification, binary format, 5.5.</remarks>
internal sealed class WasmBinary
{
    private const int CustomSection = 0;
    private const int MemorySection = 5;
    private const int GlobalSection = 6;
    private const int ExportSection = 7;
    private const int CodeSection = 10;
    private const int DataSection = 11;
    private const int DataCountSection = 12;
    private const byte ExportedGlobal = 3;
    private const byte I32Const = 0x41;
    private const byte End = 0x0B;
    private static readonly byte[] Header = [0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0];

    private readonly List<(int Id, byte[] Content)> _sections = [];

    /// <param name="module">The bytes of a module that a linker wrote.</param>
    /// <exception cref="CompilerBugException">They are no module.</exception>
    public WasmBinary(byte[] module)
    {
        if (!module.AsSpan().StartsWith(Header))
        {
            throw new CompilerBugException("WebAssembly", "the linker's output does not begin as a module does");
        }
        var reader = new WasmReader(module, Header.Length);
        while (!reader.IsAtEnd)
        {
            int id = reader.Byte();
            _sections.Add((id, reader.Bytes((int)reader.Unsigned()).ToArray()));
        }
    }

    /// <summary>The value of an exported global that is a constant: the address of a symbol.</summary>
    /// <param name="name">The symbol.</param>
    public long Address(string name)
    {
        foreach ((string export, byte kind, uint index, _) in Exports())
        {
            if (kind == ExportedGlobal && export == name)
            {
                return GlobalValue(index);
            }
        }
        throw new CompilerBugException("WebAssembly", $"'{name}' is not exported");
    }

    /// <summary>Exports nothing else any more.</summary>
    public void KeepExports(params string[] names)
    {
        byte[][] kept = [.. Exports().Where(e => names.Contains(e.Name)).Select(e => e.Bytes)];
        Replace(ExportSection, w =>
        {
            w.Unsigned((uint)kept.Length);
            Array.ForEach(kept, w.Bytes);
        });
    }

    /// <summary>Gives the memory its size.</summary>
    /// <param name="pages">Pages of 64 KiB that it begins with.</param>
    /// <param name="isFixed">Whether it never grows.</param>
    public void SetMemory(long pages, bool isFixed) => Replace(MemorySection, w =>
    {
        w.Unsigned(1);
        w.Byte(isFixed ? (byte)1 : (byte)0);
        w.Unsigned((uint)pages);
        if (isFixed)
        {
            w.Unsigned((uint)pages);
        }
    });

    /// <summary>Moves constants that are added to addresses into the accesses.</summary>
    public void FoldOffsets()
    {
        int at = _sections.FindIndex(s => s.Id == CodeSection);
        _sections[at] = (CodeSection, WasmOffsetFolding.Run(_sections[at].Content));
    }

    /// <summary>Appends a section that engines skip and programs can read.</summary>
    public void AddCustom(string name, ReadOnlySpan<byte> content)
    {
        var writer = new WasmWriter();
        writer.Name(name);
        writer.Bytes(content);
        _sections.Add((CustomSection, writer.ToArray()));
    }

    /// <summary>Writes the module.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="data">What memory holds before anything runs, besides what the linker put there.</param>
    public void Write(Stream stream, IReadOnlyList<WasmData> data)
    {
        stream.Write(Header);
        bool isWritten = data.Count == 0;
        foreach ((int id, byte[] content) in _sections)
        {
            switch (id)
            {
                case DataSection:
                    WriteData(stream, content, data);
                    isWritten = true;
                    continue;
                case CustomSection when !isWritten: // it comes before the names and the rest
                    WriteData(stream, [0], data);
                    isWritten = true;
                    break;
                case DataCountSection:
                    var count = new WasmWriter();
                    count.Unsigned(new WasmReader(content, 0).Unsigned() + (uint)data.Count);
                    WriteSection(stream, id, count.ToArray());
                    continue;
            }
            WriteSection(stream, id, content);
        }
        if (!isWritten)
        {
            WriteData(stream, [0], data);
        }
    }

    private static void WriteSection(Stream stream, int id, byte[] content)
    {
        var head = new WasmWriter();
        head.Byte((byte)id);
        head.Unsigned((uint)content.Length);
        stream.Write(head.ToArray());
        stream.Write(content);
    }

    // The segments that are there, and more behind them; large ones are never in memory twice.
    private static void WriteData(Stream stream, byte[] present, IReadOnlyList<WasmData> data)
    {
        var reader = new WasmReader(present, 0);
        var count = new WasmWriter();
        count.Unsigned(reader.Unsigned() + (uint)data.Count);
        ReadOnlySpan<byte> segments = reader.Rest();
        byte[][] heads = [.. data.Select(Head)];
        long length = count.Length + segments.Length + heads.Sum(h => (long)h.Length) + data.Sum(d => d.Length);
        var head = new WasmWriter();
        head.Byte(DataSection);
        head.Unsigned(checked((uint)length));
        stream.Write(head.ToArray());
        stream.Write(count.ToArray());
        stream.Write(segments);
        for (int i = 0; i < data.Count; i++)
        {
            stream.Write(heads[i]);
            data[i].Write(stream);
        }
    }

    private static byte[] Head(WasmData data)
    {
        var writer = new WasmWriter();
        writer.Byte(0);
        writer.Byte(I32Const);
        writer.Signed((int)(uint)data.Address);
        writer.Byte(End);
        writer.Unsigned(checked((uint)data.Length));
        return writer.ToArray();
    }

    private List<(string Name, byte Kind, uint Index, byte[] Bytes)> Exports()
    {
        var found = new List<(string, byte, uint, byte[])>();
        var reader = new WasmReader(Section(ExportSection), 0);
        uint count = reader.Unsigned();
        for (uint i = 0; i < count; i++)
        {
            int start = reader.Position;
            string name = Encoding.UTF8.GetString(reader.Bytes((int)reader.Unsigned()));
            byte kind = reader.Byte();
            uint index = reader.Unsigned();
            found.Add((name, kind, index, reader.Since(start)));
        }
        return found;
    }

    private long GlobalValue(uint index)
    {
        var reader = new WasmReader(Section(GlobalSection), 0);
        uint count = reader.Unsigned();
        for (uint i = 0; i < count; i++)
        {
            reader.Bytes(2); // type and mutability
            byte instruction = reader.Byte();
            long value = reader.Signed();
            if (instruction != I32Const || reader.Byte() != End)
            {
                break;
            }
            if (i == index)
            {
                return (uint)value;
            }
        }
        throw new CompilerBugException("WebAssembly", $"global {index} is not an i32 constant");
    }

    private byte[] Section(int id) => _sections.Find(s => s.Id == id).Content
        ?? throw new CompilerBugException("WebAssembly", $"the linker wrote no section {id}");

    private void Replace(int id, Action<WasmWriter> write)
    {
        var writer = new WasmWriter();
        write(writer);
        int at = _sections.FindIndex(s => s.Id == id);
        _sections[at] = (id, writer.ToArray());
    }
}

/// <summary>Bytes at an address of the memory.</summary>
/// <param name="Address">Where.</param>
/// <param name="Length">How many.</param>
/// <param name="Write">Writes them.</param>
internal sealed record WasmData(long Address, long Length, Action<Stream> Write);
