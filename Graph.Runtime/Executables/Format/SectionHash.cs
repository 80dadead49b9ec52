using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>The hash of a section other than constants: SHA-256 of the SHA-256 hashes of its pieces, so that processors can
/// share a long one.</summary>
internal static unsafe class SectionHash
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private const int PieceBytes = 4 << 20;

    /// <summary>Hashes a range of memory.</summary>
    public static byte[] Compute(byte* pointer, long length)
    {
        int pieces = checked((int)((length + PieceBytes - 1) / PieceBytes));
        byte[] hashes = new byte[pieces * Size];
        void HashPiece(int piece)
        {
            long offset = (long)piece * PieceBytes;
            var bytes = new ReadOnlySpan<byte>(pointer + offset, (int)Math.Min(PieceBytes, length - offset));
            SHA256.HashData(bytes, hashes.AsSpan(piece * Size, Size));
        }
        if (pieces > 1)
        {
            Parallel.For(0, pieces, HashPiece);
        }
        else if (pieces == 1)
        {
            HashPiece(0);
        }
        return SHA256.HashData(hashes);
    }

    /// <summary>Hashes bytes.</summary>
    public static byte[] Compute(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            return Compute(pointer, bytes.Length);
        }
    }
}
