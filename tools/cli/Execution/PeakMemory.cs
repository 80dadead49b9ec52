using System.Diagnostics;
using System.Globalization;

namespace Graphene.Cli.Execution;

/// <summary>The most memory that this process has had resident.</summary>
internal static class PeakMemory
{
    /// <summary>In MiB.</summary>
    public static double Megabytes()
    {
        // .NET reports a peak of 0 on some Linux systems; the kernel's own number is always there.
        if (OperatingSystem.IsLinux())
        {
            string? line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            string[] words = line?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];
            if (words.Length >= 2 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes))
            {
                return kilobytes / 1024.0;
            }
        }
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / (1024.0 * 1024.0);
    }
}
