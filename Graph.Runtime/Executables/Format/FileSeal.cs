using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>
/// The signature at the end of a bundle: ECDSA over P-256 of the header and the table, which hold the
/// hash of everything.
/// </summary>
/// <remarks>
/// <code>
/// 0    magic "GRAPSEAL", bytes of the key u32, bytes of the signature u32
/// 16   public key (SubjectPublicKeyInfo), signature (r and s, 32 bytes each)
/// ...  hash of all that, of the file's kind, to find damage where nobody asks who signed
/// </code>
/// </remarks>
/// <param name="PublicKey">The signer's key.</param>
/// <param name="Signature">The signature.</param>
internal sealed record FileSeal(byte[] PublicKey, byte[] Signature)
{
    private const int HeadBytes = 16;
    private const int MaxKeyBytes = 1024;
    private const int HashBytes = SectionHash.Size;

    /// <summary>Bytes of the signature.</summary>
    public const int SignatureBytes = 64;

    private static ReadOnlySpan<byte> Magic => "GRAPSEAL"u8;

    /// <summary>Bytes of the seal of a key.</summary>
    public static int SizeFor(byte[] publicKey) => HeadBytes + publicKey.Length + SignatureBytes + HashBytes;

    /// <summary>What people tell keys apart by: the SHA-256 of the key in hexadecimal digits.</summary>
    public string KeyFingerprint => Convert.ToHexStringLower(SHA256.HashData(PublicKey));

    /// <summary>The bytes of the seal.</summary>
    /// <param name="hashes">The kind of the file's hashes.</param>
    public byte[] ToBytes(FileHashKind hashes)
    {
        byte[] bytes = new byte[SizeFor(PublicKey)];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), PublicKey.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Signature.Length);
        PublicKey.CopyTo(bytes, HeadBytes);
        Signature.CopyTo(bytes, HeadBytes + PublicKey.Length);
        HashOf(hashes, bytes.AsSpan(0, bytes.Length - HashBytes)).CopyTo(bytes, bytes.Length - HashBytes);
        return bytes;
    }

    /// <summary>Reads a seal.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="hashes">The kind of the file's hashes.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static FileSeal Read(ReadOnlySpan<byte> bytes, FileHashKind hashes)
    {
        if (bytes.Length < HeadBytes + HashBytes || !bytes[..8].SequenceEqual(Magic))
        {
            throw new InvalidDataException("its seal is damaged");
        }
        int key = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        int signature = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        if (key is < 0 or > MaxKeyBytes || signature != SignatureBytes
            || bytes.Length != HeadBytes + key + signature + HashBytes
            || !HashOf(hashes, bytes[..^HashBytes]).AsSpan().SequenceEqual(bytes[^HashBytes..]))
        {
            throw new InvalidDataException("its seal is damaged");
        }
        return new FileSeal(
            bytes.Slice(HeadBytes, key).ToArray(), bytes.Slice(HeadBytes + key, signature).ToArray());
    }

    /// <summary>Whether the owner of the seal's key signed these bytes.</summary>
    public bool IsOf(ReadOnlySpan<byte> signed)
    {
        try
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(PublicKey, out int read);
            return read == PublicKey.Length && key.KeySize == 256 && key.VerifyData(signed, Signature, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            return false; // no key, or of another kind
        }
    }

    // Seals were hashed as they are when files had SHA-256.
    private static byte[] HashOf(FileHashKind hashes, ReadOnlySpan<byte> bytes) =>
        hashes == FileHashKind.Sha256 ? SHA256.HashData(bytes) : SectionHash.Compute(hashes, bytes);
}
