using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Graphene.Bench;

/// <summary>The machine that a table was measured on, in one line.</summary>
internal static class MachineDescription
{
    /// <summary>Processor, cores, vector width, memory, system.</summary>
    public static string OneLine()
    {
        string processor = FromFile("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        string vectors = Vector512.IsHardwareAccelerated ? "512-bit vectors" : "256-bit vectors";
        double memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30);
        return $"{processor}, {Environment.ProcessorCount} cores seen, {vectors}, {memory:F0} GiB, " +
            $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.FrameworkDescription}";
    }

    private static string? FromFile(string path, string key) =>
        !File.Exists(path) ? null : File.ReadLines(path)
            .Where(l => l.StartsWith(key, StringComparison.Ordinal))
            .Select(l => l[(l.IndexOf(':') + 1)..].Trim())
            .FirstOrDefault();
}
