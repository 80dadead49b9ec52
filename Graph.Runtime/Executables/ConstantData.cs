namespace Graphene.Runtime;

/// <summary>The constants of an executable as one read-only range of memory, in native memory or in a mapped
/// file.</summary>
public sealed unsafe class ConstantData : IDisposable
{
    // Programs with fewer compute more than they read: what their runs gain is within the noise.
    private const long BytesWorthHugePages = 128 << 20;

    private readonly IDisposable? _owner;
    private readonly bool _isMapped;
    private int _disposed;

    private ConstantData(IDisposable? owner, bool isMapped, byte* pointer, long length)
    {
        _owner = owner;
        _isMapped = isMapped;
        Pointer = pointer;
        Length = length;
    }

    /// <summary>Constants of a graph that has none.</summary>
    public static ConstantData Empty { get; } = new(null, false, null, 0);

    /// <summary>The first byte, aligned to <see cref="NativeBlock.Alignment"/>; null without constants.</summary>
    public byte* Pointer { get; }

    /// <summary>The size in bytes.</summary>
    public long Length { get; }

    /// <summary>Whether they are pages of a file.</summary>
    internal bool IsMapped => _isMapped;

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
    internal bool MayMoveToHugePages => _isMapped && Length >= BytesWorthHugePages && HugePages.AreAvailable;

    /// <summary>Moves what lies in pages of a file to huge pages, at the same addresses; may be read meanwhile.</summary>
    /// <param name="isWanted">Asked now and then; no ends the work.</param>
    internal void MoveToHugePages(Func<bool> isWanted) => HugePages.Move(Pointer, Length, isWanted);

    /// <summary>Frees the memory or the mapping.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _owner?.Dispose();
        }
    }

    /// <summary>The same memory for several users; it is freed when the last of them disposes it. This object is one no more.</summary>
    internal ConstantData[] ShareAmong(int users)
    {
        var owner = new SharedOwner(_owner, users);
        var shares = new ConstantData[users];
        for (int i = 0; i < users; i++)
        {
            shares[i] = new ConstantData(owner, _isMapped, Pointer, Length);
        }
        return shares;
    }

    internal static ConstantData Of(NativeBlock block, long length) => Of(block, 0, length);

    // The block belongs to the constants from here on.
    internal static ConstantData Of(NativeBlock block, long offset, long length) => new(block, false, block.Pointer + offset, length);

    // The mapping belongs to the constants from here on.
    internal static ConstantData Of(MappedFile file, long offset, long length) =>
        new(file, true, file.Pointer + offset, length);

    // Each share is disposed once, by the program that it belongs to.
    private sealed class SharedOwner(IDisposable? owner, int users) : IDisposable
    {
        private int _users = users;

        public void Dispose()
        {
            if (Interlocked.Decrement(ref _users) == 0)
            {
                owner?.Dispose();
            }
        }
    }
}
