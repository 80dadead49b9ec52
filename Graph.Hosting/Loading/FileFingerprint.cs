using System.Security.Cryptography;

namespace Graphene.Hosting;

/// <summary>What tells whether a file has changed, without reading all of it.</summary>
/// <remarks>
/// Sizes and times are not enough: retrained models have the size of the old, and deployments set times as they like. The first
/// bytes of a bundle hold hashes of everything in it, so they tell bundles apart. Symbolic links are followed to their end, wherever
/// on the way one was changed.
/// </remarks>
/// <param name="Target">The file that the path leads to.</param>
/// <param name="Length">Its size.</param>
/// <param name="Written">When it was written.</param>
/// <param name="Created">When it was made, as far as the file system knows.</param>
/// <param name="Head">The hash of its first bytes; empty when there is a problem.</param>
/// <param name="Problem">Why it cannot be read, or null.</param>
internal readonly record struct FileFingerprint(
    string Target, long Length, DateTime Written, DateTime Created, string Head, string? Problem)
{
    private const int HeadBytes = 4096;

    /// <summary>Looks at a file.</summary>
    /// <param name="path">Its full path.</param>
    public static FileFingerprint Read(string path)
    {
        try
        {
            FileSystemInfo link = File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
            var target = new FileInfo(link.FullName);
            if (!target.Exists)
            {
                return Bad("there is no such file");
            }
            return new FileFingerprint(
                target.FullName, target.Length, target.LastWriteTimeUtc, target.CreationTimeUtc, HashOfHead(path), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Bad(e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message);
        }
    }

    private static FileFingerprint Bad(string problem) => new("", 0, default, default, "", problem);

    private static string HashOfHead(string path)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        // Opening, other than asking for times, makes network file systems look at the server.
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        int length = RandomAccess.Read(file, head, 0);
        return Convert.ToHexString(SHA256.HashData(head[..length]));
    }
}
