using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>What goes into an executable file.</summary>
/// <param name="Index">What there is.</param>
/// <param name="Plans">The bytes of each plan, in the order of the index.</param>
/// <param name="Objects">The objects.</param>
/// <param name="Constants">The constants that the plans' buffers lie in.</param>
internal sealed record FileContent(
    FileIndex Index, IReadOnlyList<byte[]> Plans, IReadOnlyList<ReadOnlyMemory<byte>> Objects, ConstantImage Constants);

/// <summary>Writes executables; see <see cref="FileLayout"/>. The stream need not be seekable.</summary>
internal static class ExecutableWriter
{
    /// <summary>Writes one executable: one signature, one variant.</summary>
    public static void Write(Executable executable, Stream stream, FileHashKind hashes)
    {
        ExecutablePlan plan = executable.Plan;
        int[] objects = new int[executable.Objects.Count];
        for (int i = 0; i < objects.Length; i++)
        {
            objects[i] = i;
        }
        var index = new FileIndex
        {
            Name = plan.Name,
            CompilerVersion = plan.CompilerVersion,
            Variants = [new FileVariant("host", plan.TargetTriple, plan.CpuFeatures)],
            States = [],
            Signatures = [new FileSignature(CompiledGraph.DefaultSignature, "", [])],
            Plans = [objects],
        };
        var content = new FileContent(
            index, [PlanWriter.Write(plan, executable.Objects)], [.. executable.Objects.Select(o => o.Bytes)],
            ConstantImage.Of(executable.Constants));
        Write(content, stream, hashes, null);
    }

    /// <summary>Writes a file.</summary>
    /// <param name="content">What goes in.</param>
    /// <param name="stream">Where it goes.</param>
    /// <param name="hashes">The kind of its hashes.</param>
    /// <param name="key">Signs it; null for nobody.</param>
    public static void Write(FileContent content, Stream stream, FileHashKind hashes, ECDsa? key)
    {
        byte[] index = FileIndexWriter.Write(content.Index);
        ConstantImage constants = content.Constants;
        int count = 1 + content.Plans.Count + content.Objects.Count + (constants.Length > 0 ? 1 : 0);
        if (count > FileLayout.MaxSections)
        {
            throw new CompilerBugException("executable file", $"{count} sections, at most {FileLayout.MaxSections} are possible");
        }
        var sections = new List<FileSection>();
        var contents = new List<ReadOnlyMemory<byte>>();
        long begin = FileLayout.RecordBytes * (1L + count);
        long end = begin;
        void Add(FileSectionKind kind, ReadOnlyMemory<byte> bytes)
        {
            sections.Add(new FileSection(
                kind, FileLayout.Align(end, FileLayout.AlignmentOf(kind)), bytes.Length, SectionHash.Compute(hashes, bytes.Span)));
            contents.Add(bytes);
            end = sections[^1].End;
        }
        Add(FileSectionKind.Index, index);
        foreach (byte[] plan in content.Plans)
        {
            Add(FileSectionKind.Plan, plan);
        }
        foreach (ReadOnlyMemory<byte> code in content.Objects)
        {
            Add(FileSectionKind.Object, code);
        }
        if (constants.Length > 0)
        {
            sections.Add(new FileSection(
                FileSectionKind.Constants, FileLayout.Align(end, FileLayout.PageBytes), constants.Length, constants.Hash(hashes)));
            end = sections[^1].End;
        }
        byte[]? publicKey = key is null ? null : PublicKeyOf(key);
        int sealBytes = publicKey is null ? 0 : FileSeal.SizeFor(publicKey);
        long contentEnd = publicKey is null ? end : FileLayout.Align(end, FileLayout.RecordBytes);
        byte[] head = Head(sections, contentEnd + sealBytes, hashes, sealBytes);
        stream.Write(head);
        long position = begin;
        for (int i = 0; i < sections.Count; i++)
        {
            stream.Write(new byte[sections[i].Offset - position]);
            if (i < contents.Count)
            {
                stream.Write(contents[i].Span);
            }
            else if (constants.Whole is { } whole)
            {
                WriteMemory(stream, whole);
            }
            else
            {
                constants.Write(stream);
            }
            position = sections[i].End;
        }
        if (publicKey is not null)
        {
            stream.Write(new byte[contentEnd - position]);
            stream.Write(new FileSeal(publicKey, key!.SignData(head, HashAlgorithmName.SHA256)).ToBytes(hashes));
        }
    }

    private static byte[] PublicKeyOf(ECDsa key) => key.KeySize == 256
        ? key.ExportSubjectPublicKeyInfo()
        : throw new ArgumentException($"bundles are signed with keys of 256 bits (P-256), this one has {key.KeySize}", nameof(key));

    private static byte[] Head(List<FileSection> sections, long fileLength, FileHashKind hashes, int sealBytes)
    {
        byte[] head = new byte[FileLayout.RecordBytes * (1 + sections.Count)];
        Span<byte> table = head.AsSpan(FileLayout.RecordBytes);
        for (int i = 0; i < sections.Count; i++)
        {
            sections[i].Write(table.Slice(i * FileLayout.RecordBytes, FileLayout.RecordBytes));
        }
        var header = new FileHeader(
            FileLayout.Version, sections.Count, fileLength, hashes, sealBytes, SectionHash.Compute(hashes, table));
        header.ToBytes().CopyTo(head, 0);
        return head;
    }

    private static void WriteMemory(Stream stream, ConstantData constants)
    {
        const int Piece = 1 << 24;
        for (long offset = 0; offset < constants.Length; offset += Piece)
        {
            stream.Write(constants.Bytes(offset, (int)Math.Min(Piece, constants.Length - offset)));
        }
    }
}
