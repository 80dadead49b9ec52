namespace Graphene.Codegen.Ptx;

/// <summary>Where the shared memory of a kernel lies.</summary>
/// <remarks>
/// Memory of known size takes 48 KiB at most. What needs more gets one array whose size the launch states, with all buffers at fixed
/// places in it.
/// <code>
/// a[4096], b[1024], c[512] over a      a, c at 0; b at 16384: 20480 bytes
/// </code>
/// </remarks>
internal sealed class SharedLayout
{
    /// <summary>The most bytes that need not be stated by a launch.</summary>
    public const int MostStaticBytes = 48 << 10;

    private const int Alignment = 128;

    private readonly Dictionary<KBuffer, long> _offsets = new(ReferenceEqualityComparer.Instance);

    private SharedLayout(Kernel kernel)
    {
        List<KBuffer> buffers = [.. Declared(kernel.Body).Distinct()];
        foreach (IGrouping<KBuffer, KBuffer> place in buffers.GroupBy(Root))
        {
            long size = place.Max(b => b.Length * b.Element.SizeInBytes());
            foreach (KBuffer buffer in place)
            {
                _offsets.Add(buffer, SizeInBytes);
            }
            SizeInBytes += (size + Alignment - 1) / Alignment * Alignment;
        }
    }

    /// <summary>The size of everything.</summary>
    public long SizeInBytes { get; }

    /// <summary>Whether the launch states the size.</summary>
    public bool IsDynamic => SizeInBytes > MostStaticBytes;

    /// <summary>The layout of a kernel.</summary>
    public static SharedLayout Of(Kernel kernel) => new(kernel);

    /// <summary>Where a buffer begins, in bytes.</summary>
    public long OffsetOf(KBuffer buffer) => _offsets[buffer];

    private static KBuffer Root(KBuffer buffer) => buffer.Over is { } other ? Root(other) : buffer;

    private static IEnumerable<KBuffer> Declared(KBlock block) => block.Statements.SelectMany(s => s is KScratch scratch
        ? scratch.Buffer.Space == KBufferSpace.Shared ? [scratch.Buffer] : []
        : KTraversal.Blocks(s).SelectMany(Declared));
}
