using System.Buffers.Binary;
using System.Text;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The sections of an ELF-64 file.</summary>
internal static class ObjectSections
{
    internal readonly record struct Section(string Name, long Length, bool IsWritable, bool IsAllocated);

    public static List<Section> Read(ReadOnlySpan<byte> file)
    {
        int at = (int)BinaryPrimitives.ReadInt64LittleEndian(file[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        int names = BinaryPrimitives.ReadUInt16LittleEndian(file[62..]);
        int namesAt = (int)BinaryPrimitives.ReadInt64LittleEndian(file[(at + (64 * names) + 24)..]);
        var sections = new List<Section>();
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = file.Slice(at + (64 * i), 64);
            ReadOnlySpan<byte> name = file[(namesAt + BinaryPrimitives.ReadInt32LittleEndian(header))..];
            sections.Add(new Section(
                Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]), BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
                (BinaryPrimitives.ReadInt64LittleEndian(header[8..]) & 1) != 0, (BinaryPrimitives.ReadInt64LittleEndian(header[8..]) & 2) != 0));
        }
        return sections;
    }
}
