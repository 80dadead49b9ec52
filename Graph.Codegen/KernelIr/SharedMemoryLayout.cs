namespace Graphene.Codegen;

/// <summary>Where the shared scratch of a kernel lies in the memory that the threads of a task share.</summary>
/// <remarks>
/// A buffer lies at the next multiple of 128 bytes or what it asks for, or in the place of another one; a place is as
/// long as the longest in it. Barriers of phases lie behind all buffers.
/// </remarks>
internal sealed class SharedMemoryLayout
{
    /// <summary>Every buffer begins at a multiple of this.</summary>
    public const int Alignment = 128;

    private readonly Dictionary<object, long> _offsets = new(ReferenceEqualityComparer.Instance);

    public SharedMemoryLayout(Kernel kernel)
    {
        KStmt[] declared = [.. Declared(kernel.Body)];
        Buffers = [.. declared.OfType<KScratch>().Select(s => s.Buffer)];
        Barriers = [.. declared.OfType<KPhaseInit>().Select(p => p.Barriers)];
        foreach (IGrouping<KBuffer, KBuffer> place in Buffers.GroupBy(PlaceOf))
        {
            int alignment = place.Max(b => b.Alignment);
            LargestAlignment = Math.Max(LargestAlignment, alignment);
            SizeInBytes = RoundUp(SizeInBytes, alignment);
            foreach (KBuffer buffer in place)
            {
                _offsets.Add(buffer, SizeInBytes);
            }
            long bytes = place.Max(b => b.Length * b.Element.SizeInBytes());
            SizeInBytes = RoundUp(SizeInBytes + bytes, Alignment);
        }
        foreach (KPhaseBarriers barriers in Barriers)
        {
            _offsets.Add(barriers, SizeInBytes);
            SizeInBytes += (long)barriers.Count * KPhaseBarriers.SizeInBytes;
        }
        SizeInBytes = RoundUp(SizeInBytes, Alignment);
    }

    /// <summary>All shared buffers, in the order in which they are declared.</summary>
    public IReadOnlyList<KBuffer> Buffers { get; }

    /// <summary>All barriers of phases, in the order in which they begin.</summary>
    public IReadOnlyList<KPhaseBarriers> Barriers { get; }

    /// <summary>What the beginning of all must be a multiple of, in bytes.</summary>
    public int LargestAlignment { get; } = Alignment;

    /// <summary>How many bytes a task needs.</summary>
    public long SizeInBytes { get; private set; }

    /// <summary>Where a buffer begins, in bytes.</summary>
    public long this[KBuffer buffer] => _offsets[buffer];

    /// <summary>Where the first of some barriers begins, in bytes.</summary>
    public long this[KPhaseBarriers barriers] => _offsets[barriers];

    /// <summary>The buffer with a place of its own in whose place another lies; itself where it has one.</summary>
    public static KBuffer PlaceOf(KBuffer buffer)
    {
        while (buffer.Over is { } below)
        {
            buffer = below;
        }
        return buffer;
    }

    private static IEnumerable<KStmt> Declared(KBlock block) => block.Statements.SelectMany(s =>
        s is KScratch { Buffer.Space: KBufferSpace.Shared } or KPhaseInit ? [s] : KTraversal.Blocks(s).SelectMany(Declared));

    private static long RoundUp(long bytes, int multiple) => (bytes + multiple - 1) / multiple * multiple;
}
