using System.Text;
using Graphene.Runtime.Interop;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime.Threads;

/// <summary>Reads how much CPU time Linux control groups, versions 1 and 2, grant to this process.</summary>
/// <remarks>
/// What lies in /proc and /sys depends on kernel, container engine and rights, so whatever is missing, unreadable or
/// malformed
/// counts as "no limit". A limit of an enclosing group binds its members: the smallest one on the way up counts.
/// </remarks>
internal static class CgroupQuota
{
    // A host may have thousands of mounts; a file that never ends is not ours to read.
    private const int MaxBytes = 8 << 20;

    /// <summary>The quota in CPUs (1.5 = one and a half), or infinity without a limit.</summary>
    /// <param name="root">The folder that holds proc and sys; not "/" only in tests.</param>
    public static double Read(string root = "/")
    {
        string[] groups = ReadLines(Path.Combine(root, "proc/self/cgroup"));
        double quota = double.PositiveInfinity;
        foreach (string line in ReadLines(Path.Combine(root, "proc/self/mountinfo")))
        {
            if (Mount.TryParse(line) is { } mount && FindGroup(groups, mount) is { } group)
            {
                quota = Math.Min(quota, ReadUpwards(root, mount, group));
            }
        }
        return quota;
    }

    // "4:cpu,cpuacct:/some/group" for version 1, "0::/some/group" for version 2.
    private static string? FindGroup(string[] groups, Mount mount)
    {
        foreach (string line in groups)
        {
            string[] parts = line.Split(':', 3);
            bool matches = parts.Length == 3
                && (mount.IsVersion2 ? parts[0] == "0" : parts[1].Split(',').Contains("cpu"));
            if (matches)
            {
                return parts[2];
            }
        }
        return null;
    }

    private static double ReadUpwards(string root, Mount mount, string group)
    {
        // A mount may show a subtree only: its root is the part of the group's path that is not visible below it.
        string relative = mount.Root == "/" ? group
            : group == mount.Root || group.StartsWith(mount.Root + "/", StringComparison.Ordinal)
                ? group[mount.Root.Length..]
                : "";
        string[] segments = relative.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (segments.Contains(".."))
        {
            segments = [];
        }
        string mountPoint = Path.Combine(root, mount.Point.TrimStart('/'));
        double quota = double.PositiveInfinity;
        for (int depth = segments.Length; depth >= 0; depth--)
        {
            string folder = Path.Combine([mountPoint, .. segments.AsSpan(0, depth)]);
            quota = Math.Min(quota, mount.IsVersion2 ? ReadVersion2(folder) : ReadVersion1(folder));
        }
        return quota;
    }

    // "150000 100000" (microseconds of CPU time per period of microseconds) or "max 100000".
    private static double ReadVersion2(string folder) =>
        ReadLines(Path.Combine(folder, "cpu.max")) is [var line, ..] && line.Split(' ') is [var quota, var period, ..]
            ? Ratio(quota, period)
            : double.PositiveInfinity;

    private static double ReadVersion1(string folder) =>
        ReadLines(Path.Combine(folder, "cpu.cfs_quota_us")) is [var quota, ..]
        && ReadLines(Path.Combine(folder, "cpu.cfs_period_us")) is [var period, ..]
            ? Ratio(quota, period)
            : double.PositiveInfinity;

    // "max" does not parse and version 1 says -1: neither is a limit.
    private static double Ratio(string quota, string period) =>
        Number(quota) is > 0 and var q && Number(period) is > 0 and var p ? (double)q / p : double.PositiveInfinity;

    // Digits alone; 0 for anything else. What parses numbers in general takes cultures, which a start waits for.
    private static long Number(string text)
    {
        long number = 0;
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c) || number > long.MaxValue / 10 - 10)
            {
                return 0;
            }
            number = (10 * number) + (c - '0');
        }
        return number;
    }

    // Groups without a limit have no file for it. Files of the system say that they are empty, so they are read to their end.
    private static string[] ReadLines(string path)
    {
        using SafeFileHandle? file = Libc.TryOpenToRead(path);
        if (file is null)
        {
            return [];
        }
        try
        {
            byte[] bytes = new byte[8 << 10];
            int length = 0;
            int read;
            while (length < MaxBytes && (read = RandomAccess.Read(file, bytes.AsSpan(length), length)) > 0)
            {
                length += read;
                if (length == bytes.Length)
                {
                    Array.Resize(ref bytes, 2 * bytes.Length);
                }
            }
            return Encoding.UTF8.GetString(bytes, 0, length).Split(
                '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return [];
        }
    }

    /// <summary>One line of mountinfo that mounts a cgroup tree with the cpu controller.</summary>
    private sealed record Mount(bool IsVersion2, string Root, string Point)
    {
        // "31 23 0:28 /root /mount/point rw,relatime shared:1 - cgroup source rw,cpu,cpuacct", see
        // proc_pid_mountinfo(5).
        public static Mount? TryParse(string line)
        {
            int separator = line.IndexOf(" - ", StringComparison.Ordinal);
            if (separator < 0)
            {
                return null;
            }
            string[] left = line[..separator].Split(' ');
            string[] right = line[(separator + 3)..].Split(' ');
            if (left.Length < 5 || right.Length < 3)
            {
                return null;
            }
            bool isVersion2 = right[0] == "cgroup2";
            bool isCpu = isVersion2 || (right[0] == "cgroup" && right[2].Split(',').Contains("cpu"));
            return isCpu ? new Mount(isVersion2, Unescape(left[3]), Unescape(left[4])) : null;
        }

        private static string Unescape(string path) => path
            .Replace("\\040", " ", StringComparison.Ordinal)
            .Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\012", "\n", StringComparison.Ordinal)
            .Replace("\\134", "\\", StringComparison.Ordinal);
    }
}
