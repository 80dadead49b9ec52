using System.Buffers.Binary;
using System.Text;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The sections of an ELF file.</summary>
internal static class ObjectSections
{
    internal readonly record struct Section(string Name, long Length, bool IsWritable, bool IsAllocated);

    public static List<Section> Read(ReadOnlySpan<byte> file)
    {
        bool is64 = file[4] == 2;
        int headerBytes = is64 ? 64 : 40;
        int at = (int)Number(file, is64 ? 40 : 32, is64);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[(is64 ? 60 : 48)..]);
        int names = BinaryPrimitives.ReadUInt16LittleEndian(file[(is64 ? 62 : 50)..]);
        int namesAt = (int)Number(file[(at + (headerBytes * names))..], is64 ? 24 : 16, is64);
        var sections = new List<Section>();
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.Slice(at + (headerBytes * i), headerBytes);
            ReadOnlySpan<byte> name = file[(namesAt + BinaryPrimitives.ReadInt32LittleEndian(header))..];
            long flags = Number(header, 8, is64);
            sections.Add(new Section(
                Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]), Number(header, is64 ? 32 : 20, is64),
                (flags & 1) != 0, (flags & 2) != 0));
        }
        return sections;
    }

    private static long Number(ReadOnlySpan<byte> bytes, int at, bool is64) => is64
        ? BinaryPrimitives.ReadInt64LittleEndian(bytes[at..])
        : BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
