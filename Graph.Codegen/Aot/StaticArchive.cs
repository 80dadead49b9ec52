using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>Makes a static library, which linkers take like the object in it: <c>cc main.c -lmodel</c>.</summary>
/// <remarks>
/// The form of System V and GNU <c>ar</c>: a member that lists the symbols with the places of their members, then the
/// object. Times and owners are zero, so equal objects make equal archives.
/// <code>
/// !&lt;arch&gt;\n | header of "/" | count, place of "code.o", names | header of "code.o/" | object
/// </code>
/// </remarks>
public static class StaticArchive
{
    private const int HeaderBytes = 60;
    private const string Magic = "!<arch>\n";

    /// <summary>An archive of a library's object, with the symbols that it exports.</summary>
    public static byte[] Of(CompiledLibrary library) => Of(library.Object.Span, library.Exports);

    internal static byte[] Of(ReadOnlySpan<byte> code, IReadOnlyCollection<string> symbols)
    {
        byte[] names = Encoding.ASCII.GetBytes(string.Concat(symbols.Select(s => s + '\0')));
        byte[] index = new byte[4 + (4 * symbols.Count) + names.Length];
        int place = Magic.Length + HeaderBytes + Even(index.Length);
        BinaryPrimitives.WriteInt32BigEndian(index, symbols.Count);
        for (int i = 0; i < symbols.Count; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(index.AsSpan(4 + (4 * i)), place);
        }
        names.CopyTo(index, index.Length - names.Length);

        var archive = new MemoryStream();
        archive.Write(Encoding.ASCII.GetBytes(Magic));
        Add(archive, "/", index);
        Add(archive, "code.o/", code);
        return archive.ToArray();
    }

    private static void Add(MemoryStream archive, string name, ReadOnlySpan<byte> content)
    {
        string header = string.Create(
            CultureInfo.InvariantCulture, $"{name,-16}{0,-12}{0,-6}{0,-6}{"644",-8}{content.Length,-10}`\n");
        archive.Write(Encoding.ASCII.GetBytes(header));
        archive.Write(content);
        if (content.Length % 2 != 0)
        {
            archive.WriteByte((byte)'\n');
        }
    }

    private static int Even(int size) => size + (size % 2);
}
