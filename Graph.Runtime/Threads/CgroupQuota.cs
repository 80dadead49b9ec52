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
        string[] groups = ReadLines(Inside(root, "proc/self/cgroup"));
        double quota = double.PositiveInfinity;
        foreach (string line in ReadLines(Inside(root, "proc/self/mountinfo")))
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
            string[] parts = Fields(line, ':', 3);
            bool matches = parts.Length == 3 && (mount.IsVersion2 ? parts[0] == "0" : HasCpu(parts[1]));
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
        string folder = Inside(root, mount.Point);
        double quota = QuotaOf(mount, folder);
        string[] segments = Fields(relative, '/');
        foreach (string segment in segments)
        {
            if (segment == "..")
            {
                return quota;
            }
        }
        foreach (string segment in segments)
        {
            if (segment.Length > 0)
            {
                folder = Inside(folder, segment);
                quota = Math.Min(quota, QuotaOf(mount, folder));
            }
        }
        return quota;
    }

    private static double QuotaOf(Mount mount, string folder) => mount.IsVersion2 ? ReadVersion2(folder) : ReadVersion1(folder);

    // "150000 100000" (microseconds of CPU time per period of microseconds) or "max 100000".
    private static double ReadVersion2(string folder) =>
        ReadLines(Inside(folder, "cpu.max")) is [var line, ..] && Fields(line, ' ') is [var quota, var period, ..]
            ? Ratio(quota, period)
            : double.PositiveInfinity;

    private static double ReadVersion1(string folder) =>
        ReadLines(Inside(folder, "cpu.cfs_quota_us")) is [var quota, ..]
        && ReadLines(Inside(folder, "cpu.cfs_period_us")) is [var period, ..]
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
            while (length < MaxBytes && (read = Libc.Read(file, bytes, length, length)) > 0)
            {
                length += read;
                if (length == bytes.Length)
                {
                    Array.Resize(ref bytes, 2 * bytes.Length);
                }
            }
            return Fields(Encoding.UTF8.GetString(bytes, 0, length), '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return [];
        }
    }

    private static string Inside(string folder, string name)
    {
        int begin = 0;
        while (begin < name.Length && name[begin] == '/')
        {
            begin++;
        }
        string separator = folder.Length > 0 && folder[^1] == '/' ? "" : "/";
        string rest = begin == 0 ? name : name.Substring(begin);
        return folder + separator + rest;
    }

    // The parts of a text, at most so many: by hand, since a start waits for each method and type that the framework takes for this.
    private static string[] Fields(string text, char separator, int most = int.MaxValue)
    {
        int count = 1;
        foreach (char c in text)
        {
            count += c == separator ? 1 : 0;
        }
        var fields = new string[Math.Min(count, most)];
        int begin = 0;
        for (int i = 0; i < fields.Length; i++)
        {
            int end = begin;
            while (end < text.Length && (i == most - 1 || text[end] != separator))
            {
                end++;
            }
            fields[i] = text.Substring(begin, end - begin);
            begin = end + 1;
        }
        return fields;
    }

    private static bool HasCpu(string controllers)
    {
        foreach (string controller in Fields(controllers, ','))
        {
            if (controller == "cpu")
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>One line of mountinfo that mounts a cgroup tree with the cpu controller.</summary>
    private sealed record Mount(bool IsVersion2, string Root, string Point)
    {
        // "31 23 0:28 /root /mount/point rw,relatime shared:1 - cgroup source rw,cpu,cpuacct", see
        // proc_pid_mountinfo(5).
        public static Mount? TryParse(string line)
        {
            string[] fields = Fields(line, ' ');
            int type = 1; // behind the dash
            while (type < fields.Length && fields[type - 1] != "-")
            {
                type++;
            }
            if (type < 6 || type + 2 >= fields.Length)
            {
                return null;
            }
            bool isVersion2 = fields[type] == "cgroup2";
            bool isCpu = isVersion2 || (fields[type] == "cgroup" && HasCpu(fields[type + 2]));
            return isCpu ? new Mount(isVersion2, Unescape(fields[3]), Unescape(fields[4])) : null;
        }

        private static string Unescape(string path)
        {
            foreach (char c in path)
            {
                if (c == '\\')
                {
                    return Unescaped(path);
                }
            }
            return path;
        }

        private static string Unescaped(string path) => path
            .Replace("\\040", " ", StringComparison.Ordinal)
            .Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\012", "\n", StringComparison.Ordinal)
            .Replace("\\134", "\\", StringComparison.Ordinal);
    }
}
