using System.Globalization;
using Graphene.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Files;

/// <summary>A short text that is another one when a file's content has changed, without reading the file.</summary>
/// <remarks>
/// <para>
/// It holds where the file is (device, inode), its size, and the times of its birth, its last write and its last change. The time of
/// the last change is the system's own: no program sets it, so neither a restored backup nor a time that is set back passes unnoticed.
/// Times count in ticks of some milliseconds, and a write within the tick of the one before leaves no trace; so a file has no
/// stamp until it has been left alone for a while, as in git's index. The stamp is one of this start of the system only.
/// </para>
/// <para>
/// There is none where that is not certain: on other systems than Linux, on file systems over a network or in a program, whose times
/// are of another clock, and while a program may write through a mapping, which is not noticed at every write.
/// </para>
/// </remarks>
public static class FileStamp
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";
    private const int RegularFile = 0x8000;
    private const int KindOfFile = 0xF000;

    /// <summary>How long a file must have been left alone: many ticks of any clock.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The same when there may be mappings to write through: Linux writes such pages to the disk after half a minute, and notices the
    /// next write to them again.
    /// </summary>
    public static readonly TimeSpan Writeback = TimeSpan.FromMinutes(2);

    /// <summary>The stamp of an open file as it is now; null when there is none.</summary>
    /// <param name="file">A file that is open for reading only.</param>
    public static string? Of(SafeFileHandle file) => Of(file, DateTime.UtcNow);

    /// <summary>The stamp that a file has at a time, which is now except in tests.</summary>
    internal static string? Of(SafeFileHandle file, DateTime now)
    {
        if (!OperatingSystem.IsLinux() ||
            LinuxFiles.Describe(file) is not { } facts ||
            (facts.Mode & KindOfFile) != RegularFile ||
            !IsLocal(LinuxFiles.FileSystem(file)) ||
            !IsLeftAlone(file, now - TimeOf(facts.Changed)) ||
            BootId() is not { } boot)
        {
            return null;
        }
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{boot} {facts.DeviceMajor}:{facts.DeviceMinor} {facts.Inode} {facts.Size} {Text(facts.Born)} "
                + $"{Text(facts.Written)} {Text(facts.Changed)}");
    }

    // linux/magic.h: ext2 to ext4, XFS, Btrfs, F2FS, overlays of these, ZFS, bcachefs.
    private static bool IsLocal(long fileSystem) => fileSystem is
        0xEF53 or 0x58465342 or 0x9123683E or 0xF2F52010 or 0x794C7630 or 0x2FC12FC1 or 0xCA451A4E;

    private static bool IsLeftAlone(SafeFileHandle file, TimeSpan age) => age > Writeback || (age > Tick && LinuxFiles.HasNoWriters(file));

    // A time that no calendar has counts as just now.
    private static DateTime TimeOf((long Seconds, uint Nanoseconds) time) => time.Seconds is > 0 and < 1L << 36
        ? DateTime.UnixEpoch.AddSeconds(time.Seconds).AddTicks(time.Nanoseconds / 100)
        : DateTime.MaxValue;

    private static string Text((long Seconds, uint Nanoseconds) time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.Seconds}.{time.Nanoseconds:D9}");

    private static string? BootId()
    {
        try
        {
            string id = File.ReadAllText(BootFile).Trim();
            return id.Length > 0 ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
