namespace Graphene.Codegen;

/// <summary>Where the shared scratch of a kernel lies in the memory that the threads of a task share.</summary>
/// <remarks>A buffer lies at the next multiple of 128 bytes, or in the place of another one; a place is as long as the longest in it.</remarks>
internal sealed class SharedMemoryLayout
{
    /// <summary>Every buffer begins at a multiple of this.</summary>
    public const int Alignment = 128;

    private readonly Dictionary<KBuffer, long> _offsets = new(ReferenceEqualityComparer.Instance);

    public SharedMemoryLayout(Kernel kernel)
    {
        Buffers = [.. Declared(kernel.Body)];
        foreach (IGrouping<KBuffer, KBuffer> place in Buffers.GroupBy(PlaceOf))
        {
            foreach (KBuffer buffer in place)
            {
                _offsets.Add(buffer, SizeInBytes);
            }
            long bytes = place.Max(b => b.Length * b.Element.SizeInBytes());
            SizeInBytes += (bytes + Alignment - 1) / Alignment * Alignment;
        }
    }

    /// <summary>All shared buffers, in the order in which they are declared.</summary>
    public IReadOnlyList<KBuffer> Buffers { get; }

    /// <summary>How many bytes a task needs.</summary>
    public long SizeInBytes { get; private set; }

    /// <summary>Where a buffer begins, in bytes.</summary>
    public long this[KBuffer buffer] => _offsets[buffer];

    /// <summary>The buffer with a place of its own in whose place another lies; itself where it has one.</summary>
    public static KBuffer PlaceOf(KBuffer buffer)
    {
        while (buffer.Over is { } below)
        {
            buffer = below;
        }
        return buffer;
    }

    private static IEnumerable<KBuffer> Declared(KBlock block) => block.Statements.SelectMany(s =>
        s is KScratch { Buffer: { Space: KBufferSpace.Shared } buffer } ? [buffer] : KTraversal.Blocks(s).SelectMany(Declared));
}
