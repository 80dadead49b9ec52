using System.Security.Cryptography;

namespace Graphene.Runtime;

/// <summary>Whether a bundle was signed by somebody who is trusted.</summary>
internal static class BundleTrust
{
    /// <summary>Objects to bundles that none of the keys' owners signed.</summary>
    /// <exception cref="GraphException">GR6110: nobody signed it. GR6111: somebody else did, or it was changed afterwards.</exception>
    public static void Require(ExecutableFile file, FileSeal? seal, IReadOnlyList<string> pemKeys, string? where)
    {
        if (seal is null)
        {
            throw new GraphException(
                BundleDiagnostics.Unsigned, $"bundle '{file.Index.Name}' is not signed", where,
                "the program loads only what somebody it trusts has signed",
                "compile with --sign and the private key, or load without trusted keys");
        }
        if (!IsTrusted(seal, pemKeys))
        {
            throw new GraphException(
                BundleDiagnostics.WrongSigner, $"bundle '{file.Index.Name}' is signed with a key that is not trusted", where,
                $"its key has the SHA-256 {seal.KeyFingerprint}", "ask its author for the public key, and trust that if you trust him");
        }
        RequireOwnKey(file, seal, where);
    }

    /// <summary>Objects to bundles that are not what the owner of their own key signed, whoever that is.</summary>
    /// <exception cref="GraphException">GR6111: it was changed after it was signed.</exception>
    public static void RequireOwnKey(ExecutableFile file, FileSeal seal, string? where)
    {
        if (!seal.IsOf(file.Head))
        {
            throw new GraphException(
                BundleDiagnostics.WrongSigner, $"bundle '{file.Index.Name}' is not what was signed", where,
                "its signature belongs to other bytes", "get the file again from its author");
        }
    }

    private static bool IsTrusted(FileSeal seal, IReadOnlyList<string> pemKeys)
    {
        foreach (string pem in pemKeys)
        {
            using ECDsa key = Import(pem);
            if (key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(seal.PublicKey))
            {
                return true;
            }
        }
        return false;
    }

    private static ECDsa Import(string pem)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new GraphException(
                BundleDiagnostics.BadKey, $"a trusted key cannot be read: {e.Message}", null, "it is not a key of ECDSA in PEM form",
                "pass the text of a file that begins with -----BEGIN PUBLIC KEY-----", e);
        }
    }
}
