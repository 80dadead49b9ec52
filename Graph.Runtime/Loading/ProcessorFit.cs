using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Whether this process can run code, asked before the code is loaded.</summary>
internal static class ProcessorFit
{
    /// <summary>Why code cannot run here; null when it can.</summary>
    /// <param name="targetTriple">See <see cref="ExecutablePlan.TargetTriple"/>.</param>
    /// <param name="features">See <see cref="ExecutablePlan.CpuFeatures"/>.</param>
    public static string? WhyNot(string targetTriple, string features)
    {
        int end = targetTriple.IndexOf('-');
        string wanted = end < 0 ? targetTriple : targetTriple[..end];
        bool fits = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => wanted is "x86_64" or "amd64",
            Architecture.Arm64 => wanted is "aarch64" or "arm64",
            _ => false,
        };
        if (!fits)
        {
            return $"its code is for {wanted}, this process runs on {RuntimeInformation.ProcessArchitecture}";
        }
        string[] missing = HostProcessor.Missing(features);
        return missing.Length == 0 ? null : $"its code uses {string.Join(", ", missing)}, which this processor does not have";
    }

    /// <summary>The error for code that cannot run here.</summary>
    /// <param name="name">What it is the code of.</param>
    /// <param name="reason">Why it cannot.</param>
    /// <param name="fix">What to do about it; null for the usual advice.</param>
    public static GraphException Error(string name, string reason, string? fix = null) => new(
        RuntimeDiagnostics.WrongProcessor, $"'{name}' cannot run here: {reason}",
        why: "an instruction that the processor does not know ends the process",
        fix: fix ?? "compile on this machine, or for an older processor");
}
