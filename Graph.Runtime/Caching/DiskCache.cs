using Graphene.Files;
using Microsoft.Extensions.Logging;

namespace Graphene.Runtime;

/// <summary>Keeps compiled code between processes: a folder of executables, bounded in size.</summary>
/// <remarks>
/// Entries appear complete or not at all and are never changed, so any number of processes can share a folder without
/// locks. What was not on the disk when the system crashed fails its verification and is made again.
/// Whoever can write to the folder can make this user run code, so a folder that others can write to is not used.
/// Nothing that goes wrong with a cache fails a run: it is logged, and the code compiled.
/// </remarks>
public sealed partial class DiskCache
{
    /// <summary>How large a cache grows by default: 4 GiB.</summary>
    public const long DefaultMaxBytes = 4L << 30;

    private const string Extension = ".graphene";
    private const UnixFileMode UserOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan _abandoned = TimeSpan.FromHours(1);

    // Writing down a use changes the entry's stamp, so that it is verified again: rarely enough not to matter.
    private static readonly TimeSpan _used = TimeSpan.FromHours(12);
    private readonly ILogger _logger;

    private DiskCache(string folder, long maxBytes, ILogger logger)
    {
        Folder = folder;
        MaxBytes = maxBytes;
        _logger = logger;
    }

    /// <summary>Where the entries are.</summary>
    public string Folder { get; }

    /// <summary>How large the folder may grow; entries used longest ago make room.</summary>
    public long MaxBytes { get; }

    /// <summary>The cache that the environment asks for.</summary>
    /// <param name="debug">Holds GRAPHENE_CACHE and GRAPHENE_CACHE_DIR.</param>
    /// <param name="logger">Receives what is found, what is not, and why.</param>
    /// <returns>The cache; null when it is switched off or no folder can be used.</returns>
    public static DiskCache? FromEnvironment(DebugOptions debug, ILogger logger)
    {
        if (debug.Cache == false || debug.CacheFolder is "")
        {
            return null;
        }
        string? folder = debug.CacheFolder ?? DefaultFolder();
        if (folder is null)
        {
            LogNoFolder(logger);
            return null;
        }
        return TryOpen(folder, DefaultMaxBytes, logger);
    }

    /// <summary>Opens a cache, making its folder for this user alone if it is not there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="maxBytes">How large it may grow.</param>
    /// <param name="logger">Receives what is found, what is not, and why.</param>
    /// <returns>The cache; null, with a logged reason, when the folder cannot be used.</returns>
    public static DiskCache? TryOpen(string folder, long maxBytes, ILogger logger)
    {
        try
        {
            string full = Path.GetFullPath(folder);
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(full); // inherits the rights of the user's profile
            }
            else
            {
                Directory.CreateDirectory(full, UserOnly);
                UnixFileMode mode = File.GetUnixFileMode(full);
                if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
                {
                    LogUnusable(logger, full, "other users can write to it, so what it holds cannot be trusted");
                    return null;
                }
                File.SetUnixFileMode(full, mode); // only the owner may do this
            }
            return new DiskCache(full, maxBytes, logger);
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            LogUnusable(logger, folder, e.Message);
            return null;
        }
    }

    /// <summary>Looks for an entry.</summary>
    /// <param name="key">A key made by <see cref="CacheKey"/>.</param>
    /// <returns>The executable, which belongs to the caller; null when there is none or it was damaged.</returns>
    public Executable? TryRead(string key) => TryRead(key, null, out _);

    /// <summary>Looks for an entry whose constants may have been verified before.</summary>
    /// <param name="key">A key made by <see cref="CacheKey"/>.</param>
    /// <param name="verified">The stamp that the entry had when all of it was verified; null when that is not known.</param>
    /// <param name="stamp">Receives the stamp of the entry, of which all is verified; null when it has none.</param>
    /// <returns>The executable, which belongs to the caller; null when there is none or it was damaged.</returns>
    internal Executable? TryRead(string key, string? verified, out string? stamp)
    {
        string path = PathOf(key);
        string? found = null;
        stamp = null;
        if (!File.Exists(path))
        {
            LogMiss(_logger, key, Folder);
            return null;
        }
        try
        {
            Touch(path);
            Executable executable = ExecutableReader.Read(path, file => (found = FileStamp.Of(file)) is null || found != verified);
            LogHit(_logger, key, found is not null && found == verified ? "verified before" : "verified now");
            stamp = found;
            return executable;
        }
        catch (GraphException e)
        {
            Remove(key, e.What);
            return null;
        }
    }

    /// <summary>Adds an entry; one that is there already is replaced by its equal.</summary>
    /// <param name="key">A key made by <see cref="CacheKey"/>.</param>
    /// <param name="executable">What to keep.</param>
    public void TryWrite(string key, Executable executable)
    {
        string path = PathOf(key);
        try
        {
            executable.WriteReplaceableFile(path);
            MakeRoom(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogWriteFailed(_logger, key, e.Message);
        }
    }

    /// <summary>Removes an entry that turned out to be unusable.</summary>
    /// <param name="key">A key made by <see cref="CacheKey"/>.</param>
    /// <param name="reason">What is wrong with it.</param>
    public void Remove(string key, string reason)
    {
        LogRemoved(_logger, key, reason);
        AtomicFile.TryDelete(PathOf(key));
    }

    private static string? DefaultFolder()
    {
        string? root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(root) || !Path.IsPathRooted(root))
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            string local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            root = OperatingSystem.IsWindows() ? local
                : home.Length == 0 ? ""
                : Path.Combine(home, OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
        }
        return root.Length == 0 ? null : Path.Combine(root, "graphene");
    }

    // Not every file system records when a file was read, so it is written down.
    private static void Touch(string path)
    {
        try
        {
            DateTime now = DateTime.UtcNow;
            if (now - File.GetLastAccessTimeUtc(path) > _used)
            {
                File.SetLastAccessTimeUtc(path, now);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It only makes the entry look older than it is.
        }
    }

    private string PathOf(string key, string extension = Extension) => IsKey(key)
        ? Path.Combine(Folder, key + extension)
        : throw new ArgumentException($"'{key}' is not a cache key", nameof(key));

    private static bool IsKey(string key)
    {
        foreach (char c in key)
        {
            if (!char.IsAsciiHexDigitLower(c))
            {
                return false;
            }
        }
        return key.Length == 64;
    }

    private void MakeRoom(string written)
    {
        var folder = new DirectoryInfo(Folder);
        foreach (FileInfo file in folder.EnumerateFiles("*" + AtomicFile.TemporaryExtension))
        {
            if (DateTime.UtcNow - file.LastWriteTimeUtc > _abandoned)
            {
                AtomicFile.TryDelete(file.FullName); // its process ended while it wrote
            }
        }
        ForgetLinks(folder);
        FileInfo[] entries = folder.GetFiles("*" + Extension);
        long total = entries.Sum(f => f.Length);
        foreach (FileInfo entry in entries.OrderBy(f => f.LastAccessTimeUtc))
        {
            if (total <= MaxBytes)
            {
                return;
            }
            if (entry.FullName != written && AtomicFile.TryDelete(entry.FullName))
            {
                total -= entry.Length;
                LogEvicted(_logger, entry.Name, MaxBytes);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Compiled code is not cached: no folder for it is known (set GRAPHENE_CACHE_DIR)")]
    private static partial void LogNoFolder(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Compiled code is not cached in {Folder}: {Reason}")]
    private static partial void LogUnusable(ILogger logger, string folder, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cache miss: no {Key} in {Folder}")]
    private static partial void LogMiss(ILogger logger, string key, string folder);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cache hit: {Key}, {Verified}")]
    private static partial void LogHit(ILogger logger, string key, string verified);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cache entry {Key} is removed: {Reason}")]
    private static partial void LogRemoved(ILogger logger, string key, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cache entry {Key} could not be written: {Reason}")]
    private static partial void LogWriteFailed(ILogger logger, string key, string reason);

    [LoggerMessage(
        Level = LogLevel.Debug, Message = "Cache entry {Name} makes room: the cache may have {MaxBytes} bytes")]
    private static partial void LogEvicted(ILogger logger, string name, long maxBytes);
}
