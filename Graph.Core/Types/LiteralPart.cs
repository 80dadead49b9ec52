using System.Buffers;
using System.Runtime.InteropServices;

namespace Graphene;

/// <summary>Some of a literal's bytes, for as long as it takes to look at them.</summary>
/// <remarks>
/// Of a literal in memory it is a view; of one that is stored elsewhere it is a copy in memory that the next one will use, so
/// no span of it is used after it is disposed.
/// </remarks>
public sealed class LiteralPart : IDisposable
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private byte[]? _rented;

    internal LiteralPart(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    internal LiteralPart(StoredBytes stored, long offset, int length)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            stored.Read(offset, rented.AsSpan(0, length));
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(rented);
            throw;
        }
        _rented = rented;
        _bytes = rented.AsMemory(0, length);
    }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.Span;

    /// <summary>The bytes as elements; the caller knows the type.</summary>
    public ReadOnlySpan<T> As<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes);

    /// <summary>Gives borrowed memory back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
