namespace Graphene.Runtime;

/// <summary>The constants of an executable as one read-only range of memory, in native memory or in a mapped
/// file.</summary>
public sealed unsafe class ConstantData : IDisposable
{
    // Programs with fewer compute more than they read: what their runs gain is within the noise.
    private const long BytesWorthHugePages = 128 << 20;

    private readonly IDisposable? _owner;

    private ConstantData(IDisposable? owner, byte* pointer, long length)
    {
        _owner = owner;
        Pointer = pointer;
        Length = length;
    }

    /// <summary>Constants of a graph that has none.</summary>
    public static ConstantData Empty { get; } = new(null, null, 0);

    /// <summary>The first byte, aligned to <see cref="NativeBlock.Alignment"/>; null without constants.</summary>
    public byte* Pointer { get; }

    /// <summary>The size in bytes.</summary>
    public long Length { get; }

    /// <summary>A view of some of the bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie inside.</exception>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)offset + (uint)length, (ulong)Length);
        return new ReadOnlySpan<byte>(Pointer + offset, length);
    }

    /// <summary>Whether they are pages of a file, so many that huge pages are worth a copy.</summary>
    internal bool MayMoveToHugePages => _owner is MappedFile && Length >= BytesWorthHugePages && HugePages.AreAvailable;

    /// <summary>Moves what lies in pages of a file to huge pages, at the same addresses; may be read meanwhile.</summary>
    /// <param name="isWanted">Asked now and then; no ends the work.</param>
    internal void MoveToHugePages(Func<bool> isWanted) => HugePages.Move(Pointer, Length, isWanted);

    /// <summary>Frees the memory or the mapping.</summary>
    public void Dispose() => _owner?.Dispose();

    internal static ConstantData Of(NativeBlock block, long length) => new(block, block.Pointer, length);

    // The mapping belongs to the constants from here on.
    internal static ConstantData Of(MappedFile file, long offset, long length) =>
        new(file, file.Pointer + offset, length);
}
