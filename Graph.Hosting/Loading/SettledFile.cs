using System.Security.Cryptography;

namespace Graphene.Hosting;

/// <summary>A bundle as it was at one moment: the file that is loaded, its hash, and what it looked like.</summary>
internal sealed class SettledFile : IDisposable
{
    private const int MostAttempts = 20;
    private readonly PrivateCopy? _copy;

    private SettledFile(string source, PrivateCopy? copy, FileFingerprint fingerprint, string hash)
    {
        Source = source;
        _copy = copy;
        Fingerprint = fingerprint;
        Hash = hash;
    }

    /// <summary>Where the bundle was found.</summary>
    public string Source { get; }

    /// <summary>The file to load.</summary>
    public string File => _copy?.File ?? Source;

    /// <summary>What the bundle looked like.</summary>
    public FileFingerprint Fingerprint { get; }

    /// <summary>The SHA-256 of its bytes.</summary>
    public string Hash { get; }

    /// <summary>Takes a file when it does not change while it is read.</summary>
    /// <param name="options">Which file, and whether to copy it.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="GraphException">GR8003: it cannot be read, or never keeps still.</exception>
    public static async Task<SettledFile> TakeAsync(GrapheneModelOptions options, CancellationToken cancellation)
    {
        string source = options.Path!;
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            FileFingerprint before = FileFingerprint.Read(source);
            if (before.Problem is not null)
            {
                throw NotReadable(source, before.Problem);
            }
            SettledFile taken = Take(source, options, before);
            if (FileFingerprint.Read(source) == before)
            {
                return taken;
            }
            taken.Dispose();
            await Task.Delay(options.QuietTime, cancellation).ConfigureAwait(false);
        }
        throw NotReadable(source, "it is being written all the time");
    }

    /// <summary>Takes the name of the copy away, as far as the system allows it while the copy is mapped.</summary>
    /// <returns>What is to be disposed with the mapping, or null.</returns>
    public IDisposable? Hide() => _copy is null || _copy.TryRemove() ? null : _copy;

    /// <inheritdoc/>
    public void Dispose() => _copy?.Dispose();

    private static SettledFile Take(string source, GrapheneModelOptions options, FileFingerprint fingerprint)
    {
        PrivateCopy? copy = null;
        try
        {
            copy = options.Reload ? PrivateCopy.Of(source, options.CopyFolder) : null;
            using FileStream content = System.IO.File.OpenRead(copy?.File ?? source);
            return new SettledFile(source, copy, fingerprint, Convert.ToHexStringLower(SHA256.HashData(content)));
        }
        catch (Exception e)
        {
            copy?.Dispose();
            if (e is IOException or UnauthorizedAccessException)
            {
                throw NotReadable(source, e.Message, e);
            }
            throw;
        }
    }

    private static GraphException NotReadable(string path, string why, Exception? inner = null) => new(
        HostingDiagnostics.FileNotReadable, $"the model file {path} cannot be read: {why}",
        fix: "put the bundle there, readable for the user of the service; "
        + "with Reload it is copied, so CopyFolder must have room and be writable",
        inner: inner);
}
