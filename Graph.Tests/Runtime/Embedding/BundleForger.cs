using System.Buffers.Binary;
using System.Text;
using Graphene.Runtime;

namespace Graphene.Tests.Runtime.Embedding;

/// <summary>Changes bundles as somebody would who knows the format.</summary>
internal static class BundleForger
{
    /// <summary>The sections as the table has them.</summary>
    public static FileSection[] Sections(byte[] bytes)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        return [.. Enumerable.Range(0, count).Select(i => FileSection.Read(bytes, 64 + (64 * i)))];
    }

    /// <summary>Writes right hashes for whatever the sections are now.</summary>
    public static void Rehash(byte[] bytes)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        if (count is < 1 or > 1000 || bytes.Length < 64 + (64L * count))
        {
            return;
        }
        bool isSha256 = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(24)) == (int)FileHashKind.Sha256;
        FileHashKind kind = isSha256 ? FileHashKind.Sha256 : FileHashKind.Blake3;
        for (int i = 0; i < count; i++)
        {
            Span<byte> record = bytes.AsSpan(64 + (64 * i), 64);
            FileSection section = FileSection.Read(bytes, 64 + (64 * i));
            if (PlanVerifier.LiesInside(section.Offset, section.Length, bytes.Length))
            {
                (section with
                {
                    Hash = SectionHash.Compute(kind, bytes.AsSpan((int)section.Offset, (int)section.Length)),
                }).Write(record);
            }
        }
        SectionHash.Compute(kind, bytes.AsSpan(64, 64 * count)).CopyTo(bytes, 32);
    }

    /// <summary>Changes a bit of the constants and all hashes.</summary>
    public static void ChangeConstants(byte[] bytes)
    {
        bytes[(int)Sections(bytes)[^1].Offset] ^= 1;
        Rehash(bytes);
    }

    /// <summary>The features of the first variant.</summary>
    public static string Features(byte[] bytes)
    {
        FileSection index = Sections(bytes)[0];
        return FileIndexReader.Read(bytes.AsSpan((int)index.Offset, (int)index.Length).ToArray()).Variants[0].CpuFeatures;
    }

    /// <summary>Replaces a text by one of equal length, wherever it is in index and plans.</summary>
    public static byte[] Replace(byte[] bytes, string old, string replacement)
    {
        byte[] changed = [.. bytes];
        byte[] from = Encoding.UTF8.GetBytes(old);
        byte[] to = Encoding.UTF8.GetBytes(replacement);
        foreach (FileSection section in Sections(bytes).Where(s => s.Kind is FileSectionKind.Index or FileSectionKind.Plan))
        {
            Span<byte> content = changed.AsSpan((int)section.Offset, (int)section.Length);
            for (int at = content.IndexOf(from); at >= 0; at = content.IndexOf(from))
            {
                to.CopyTo(content[at..]);
            }
        }
        Rehash(changed);
        return changed;
    }
}
