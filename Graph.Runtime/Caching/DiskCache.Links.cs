using System.Text;

namespace Graphene.Runtime;

/// <content>Links: short files that say under which key something is, for whoever has a name of it that is faster to make.</content>
public sealed partial class DiskCache
{
    private const string LinkExtension = ".link";

    // In characters: a key, two stamps at most, a checksum.
    private const int LongestLink = 1024;

    // Links are of one start of the system, and made again by the next use.
    private static readonly TimeSpan _forgotten = TimeSpan.FromDays(7);

    /// <summary>Looks for a link.</summary>
    /// <param name="name">A name made by <see cref="CacheKey.OfStamp"/>.</param>
    /// <returns>What was said about an entry; null when there is no link, or it is damaged.</returns>
    internal CacheLink? TryFollow(string name)
    {
        string path = PathOf(name, LinkExtension);
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                return null;
            }
            if (file.Length <= LongestLink && ReadLink(name, File.ReadAllText(path)) is { } link)
            {
                return link;
            }
            LogRemoved(_logger, name, "the link is damaged");
            AtomicFile.TryDelete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The entry is found by its key, then.
        }
        return null;
    }

    /// <summary>Makes or replaces a link.</summary>
    /// <param name="name">A name made by <see cref="CacheKey.OfStamp"/>.</param>
    /// <param name="link">What to say about the entry.</param>
    internal void TryLink(string name, CacheLink link)
    {
        try
        {
            string said = $"{link.Key}\n{link.Stamp}";
            byte[] bytes = Encoding.UTF8.GetBytes($"{said}\n{CacheKey.Checksum($"{name}\n{said}")}\n");
            AtomicFile.Write(PathOf(name, LinkExtension), stream => stream.Write(bytes), sync: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogWriteFailed(_logger, name, e.Message);
        }
    }

    // The name takes part in the checksum: a link under the name of another one is as bad as a damaged one.
    private static CacheLink? ReadLink(string name, string text)
    {
        string[] lines = text.Split('\n');
        return lines is [var key, var stamp, var checksum, ""] && IsKey(key) && checksum == CacheKey.Checksum($"{name}\n{key}\n{stamp}")
            ? new CacheLink(key, stamp.Length > 0 ? stamp : null)
            : null;
    }

    private static void ForgetLinks(DirectoryInfo folder)
    {
        foreach (FileInfo file in folder.EnumerateFiles("*" + LinkExtension))
        {
            if (DateTime.UtcNow - file.LastWriteTimeUtc > _forgotten)
            {
                AtomicFile.TryDelete(file.FullName);
            }
        }
    }
}

/// <summary>What a link says about an entry.</summary>
/// <param name="Key">The entry's key.</param>
/// <param name="Stamp">The stamp of the entry when all of it was verified; null when it had none.</param>
internal sealed record CacheLink(string Key, string? Stamp);
