namespace Graphene.Runtime;

/// <summary>Where each section of each object goes in one contiguous image.</summary>
/// <remarks>
/// <code>
/// | code .. stubs | read-only data .. address table | data .. zeros |
/// ^ page          ^ page                            ^ page
/// </code>
/// Each part begins on a page, because pages are what memory protection is about. The file-backed part ends before the
/// zeros, which are never written.
/// </remarks>
internal sealed class ImageLayout
{
    /// <summary>Everything must be within reach of everything else: x86-64 reaches 2 GiB, ARM calls 128 MiB.</summary>
    public const long MaxImageSize = 1L << 30;

    private readonly long[][] _offsets;

    public ImageLayout(ElfObject[] objects, long stubBytes, long addressTableBytes, int pageSize)
    {
        _offsets = new long[objects.Length][];
        for (int i = 0; i < objects.Length; i++)
        {
            _offsets[i] = new long[objects[i].Sections.Length];
        }

        long end = Place(objects, SectionKind.Code, 0);
        StubOffset = AlignUp(end, LinkageTables.StubAlignment);
        CodeSize = StubOffset + stubBytes;

        ReadOnlyOffset = AlignUp(CodeSize, pageSize);
        end = Place(objects, SectionKind.ReadOnly, ReadOnlyOffset);
        AddressTableOffset = AlignUp(end, LinkageTables.AddressSize);
        ReadOnlySize = AddressTableOffset + addressTableBytes - ReadOnlyOffset;

        DataOffset = AlignUp(ReadOnlyOffset + ReadOnlySize, pageSize);
        BackedSize = Place(objects, SectionKind.Data, DataOffset);
        end = Place(objects, SectionKind.ZeroData, BackedSize);
        TotalSize = Math.Max(pageSize, AlignUp(end, pageSize));
    }

    public long CodeSize { get; }

    public long StubOffset { get; }

    public long ReadOnlyOffset { get; }

    public long ReadOnlySize { get; }

    public long AddressTableOffset { get; }

    public long DataOffset { get; }

    /// <summary>How many bytes of the image have contents; the rest is zero.</summary>
    public long BackedSize { get; }

    /// <summary>A positive multiple of the page size.</summary>
    public long TotalSize { get; }

    /// <summary>Where a section that is loaded begins in the image.</summary>
    public long OffsetOf(int objectIndex, int section) => _offsets[objectIndex][section];

    private long Place(ElfObject[] objects, SectionKind kind, long at)
    {
        for (int o = 0; o < objects.Length; o++)
        {
            for (int s = 0; s < objects[o].Sections.Length; s++)
            {
                ElfSection section = objects[o].Sections[s];
                if (section.Kind == kind)
                {
                    at = AlignUp(at, section.Alignment);
                    _offsets[o][s] = at;
                    at += section.Size;
                }

                if (at > MaxImageSize)
                {
                    throw new ObjectLoadException(
                        objects[o].Name, $"code and data together need more than {MaxImageSize} bytes");
                }
            }
        }

        return at;
    }

    private static long AlignUp(long value, int alignment) => (value + alignment - 1) & -alignment;
}
