using System.Buffers;
using Graphene.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>Names the content of a file: the BLAKE3 of its bytes, in pieces, so that processors share the work.</summary>
/// <remarks>
/// Nothing cheaper will do. A time stamp does not change when a file is restored or written within one tick, and a hash that can
/// be made to collide would let one model answer for another.
/// </remarks>
internal static class ContentHash
{
    // 2^n chunks, and small enough to stay in a core's own cache between reading and hashing.
    private const int PieceBytes = 256 * Blake3.ChunkBytes;

    /// <summary>The hash of an open file, in 64 hexadecimal digits.</summary>
    /// <exception cref="IOException">The file cannot be read, or became shorter.</exception>
    public static string Of(SafeFileHandle file, long length)
    {
        int pieces = checked((int)((length + PieceBytes - 1) / PieceBytes));
        if (pieces <= 1)
        {
            byte[] bytes = new byte[length];
            Fill(file, 0, bytes);
            return Convert.ToHexStringLower(Blake3.Hash(bytes));
        }
        uint[] values = new uint[pieces * Blake3.HashWords];
        try
        {
            Parallel.For(0, pieces, piece => HashPiece(
                file, (long)piece * PieceBytes, length, values.AsSpan(piece * Blake3.HashWords, Blake3.HashWords)));
        }
        catch (AggregateException e)
        {
            throw new IOException(e.InnerExceptions[0].Message, e);
        }
        return Convert.ToHexStringLower(Blake3.Join(values));
    }

    private static void HashPiece(SafeFileHandle file, long begin, long length, Span<uint> value)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            Span<byte> bytes = buffer.AsSpan(0, (int)Math.Min(PieceBytes, length - begin));
            Fill(file, begin, bytes);
            Blake3.Piece(bytes, begin / Blake3.ChunkBytes, value);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Fill(SafeFileHandle file, long at, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(file, bytes, at);
            if (read == 0)
            {
                throw new EndOfStreamException("it became shorter while it was read");
            }
            at += read;
            bytes = bytes[read..];
        }
    }
}
