using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>Names the content of a file: SHA-256 over the SHA-256 hashes of its pieces, so that processors share the work.</summary>
/// <remarks>
/// Nothing cheaper will do. A time stamp does not change when a file is restored or written within one tick, and a hash that can
/// be made to collide would let one model answer for another.
/// </remarks>
internal static class ContentHash
{
    private const int PieceBytes = 4 << 20;
    private const int BufferBytes = 256 << 10; // stays in a core's own cache between reading and hashing

    /// <summary>The hash of an open file, in 64 hexadecimal digits.</summary>
    /// <exception cref="IOException">The file cannot be read, or became shorter.</exception>
    public static string Of(SafeFileHandle file, long length)
    {
        int pieces = checked((int)((length + PieceBytes - 1) / PieceBytes));
        byte[] hashes = new byte[(pieces * SHA256.HashSizeInBytes) + sizeof(long)];
        BitConverter.TryWriteBytes(hashes.AsSpan(pieces * SHA256.HashSizeInBytes), length);
        void HashPiece(int piece)
        {
            long begin = (long)piece * PieceBytes;
            Span<byte> hash = hashes.AsSpan(piece * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);
            HashRange(file, begin, Math.Min(length, begin + PieceBytes), hash);
        }
        if (pieces == 1)
        {
            HashPiece(0);
        }
        else
        {
            try
            {
                Parallel.For(0, pieces, HashPiece);
            }
            catch (AggregateException e)
            {
                throw new IOException(e.InnerExceptions[0].Message, e);
            }
        }
        return Convert.ToHexStringLower(SHA256.HashData(hashes));
    }

    private static void HashRange(SafeFileHandle file, long begin, long end, Span<byte> hash)
    {
        using var state = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long at = begin; at < end;)
            {
                int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(BufferBytes, end - at)), at);
                if (read == 0)
                {
                    throw new EndOfStreamException("it became shorter while it was read");
                }
                state.AppendData(buffer, 0, read);
                at += read;
            }
            state.GetHashAndReset(hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
