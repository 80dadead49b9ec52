namespace Graphene;

/// <summary>Bytes that lie outside of memory, in a file mostly, and are read when somebody needs them.</summary>
/// <remarks>
/// Weights are larger than everything else that a compiler holds, and most of them are read twice: to see whether they are equal
/// to others, and to write them where machine code wants them. Neither needs them in memory in between.
/// </remarks>
public abstract class StoredBytes
{
    /// <summary>How many bytes there are.</summary>
    public abstract long Length { get; }

    /// <summary>Reads some of them; may be called from any thread.</summary>
    /// <param name="offset">The first.</param>
    /// <param name="target">Receives them; all of it is filled.</param>
    /// <exception cref="GraphException">GR1061: they are not any more what they were.</exception>
    public abstract void Read(long offset, Span<byte> target);
}
