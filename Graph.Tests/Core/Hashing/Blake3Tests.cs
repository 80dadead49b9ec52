using Graphene.Hashing;
using Graphene.Interop.Onnx.Reading;
using Microsoft.Win32.SafeHandles;
using NUnit.Framework;

namespace Graphene.Tests.Core.Hashing;

[TestFixture]
public sealed class Blake3Tests
{
    // Of the published test vectors: byte i of the input is i modulo 251.
    [TestCase(0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")]
    [TestCase(1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213")]
    [TestCase(1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7")]
    [TestCase(1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444")]
    [TestCase(2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a")]
    [TestCase(2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030")]
    [TestCase(31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47")]
    [TestCase(102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085")]
    public void PublishedHashesAreReproduced(int length, string hash)
    {
        Assert.That(Convert.ToHexStringLower(Blake3.Hash(Counting(length))), Is.EqualTo(hash));
        Assert.That(Convert.ToHexStringLower(AtOnce(Counting(length))), Is.EqualTo(hash));
    }

    [TestCase(2, 1)]
    [TestCase(3, 700)]
    [TestCase(8, 1024)]
    [TestCase(13, 5)]
    [TestCase(64, 1023)]
    public void PiecesGiveTheHashOfTheWhole(int pieces, int lastBytes)
    {
        const int PieceChunks = 16;
        byte[] bytes = Counting(((pieces - 1) * PieceChunks * Blake3.ChunkBytes) + lastBytes);
        uint[] values = new uint[pieces * Blake3.HashWords];
        for (int i = pieces - 1; i >= 0; i--)
        {
            int start = i * PieceChunks * Blake3.ChunkBytes;
            ReadOnlySpan<byte> piece = bytes.AsSpan(start, Math.Min(PieceChunks * Blake3.ChunkBytes, bytes.Length - start));
            Blake3.Piece(piece, i * PieceChunks, values.AsSpan(i * Blake3.HashWords, Blake3.HashWords));
        }
        Assert.That(Blake3.Join(values), Is.EqualTo(Blake3.Hash(bytes)));
        Assert.That(AtOnce(bytes), Is.EqualTo(Blake3.Hash(bytes)));
    }

    [TestCase(0)]
    [TestCase(5)]
    [TestCase(256 << 10)]
    [TestCase((256 << 10) + 1)]
    [TestCase((3 << 20) + 77)]
    public void AFileIsHashedAsItsBytes(int length)
    {
        string path = Path.GetTempFileName();
        try
        {
            byte[] bytes = Counting(length);
            File.WriteAllBytes(path, bytes);
            using SafeFileHandle file = File.OpenHandle(path);
            Assert.That(ContentHash.Of(file, length), Is.EqualTo(Convert.ToHexStringLower(Blake3.Hash(bytes))));
            Assert.That(() => ContentHash.Of(file, length + (1 << 20)), Throws.InstanceOf<IOException>(), "it became shorter");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static unsafe byte[] AtOnce(byte[] bytes)
    {
        fixed (byte* input = bytes)
        {
            return Blake3.HashAtOnce(input, bytes.Length);
        }
    }

    private static byte[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];
}
