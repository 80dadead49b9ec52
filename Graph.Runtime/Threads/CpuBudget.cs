using System.Numerics;
using Graphene.Runtime.Interop;
using Graphene.Runtime.Threads;

namespace Graphene.Runtime;

/// <summary>How many processors this process may keep busy: its affinity mask and its container's CPU quota.</summary>
/// <param name="AffinityCpus">The processors that the process's affinity mask allows.</param>
/// <param name="QuotaCpus">CPU seconds per second that control groups grant, or infinity.</param>
public sealed record CpuBudget(int AffinityCpus, double QuotaCpus)
{
    /// <summary>The number of threads worth running: the quota is rounded up, so that none of it is left
    /// unused.</summary>
    public int Threads => (int)Math.Max(1, Math.Min(AffinityCpus, Math.Ceiling(QuotaCpus)));

    /// <summary>
    /// Whether waiting threads may spin. A quota that <paramref name="threads"/> busy threads overdraw must be spent
    /// on work:
    /// an overdrawn process is stopped by the kernel for the rest of the period.
    /// </summary>
    public bool AllowsSpinning(int threads) => threads > 1 && threads <= AffinityCpus && threads <= QuotaCpus;

    /// <summary>Reads the budget as it is now.</summary>
    public static CpuBudget Read() => OperatingSystem.IsLinux()
        ? new CpuBudget(CountAffinity() ?? Environment.ProcessorCount, CgroupQuota.Read())
        : new CpuBudget(Environment.ProcessorCount, double.PositiveInfinity);

    /// <summary>The affinity mask of the process's first thread, or null where it cannot be read.</summary>
    /// <remarks>Not of the calling thread: that one may be pinned to one CPU for reasons that are not the
    /// pool's.</remarks>
    internal static byte[]? ReadAffinityMask()
    {
        // The call fails while the set is smaller than the kernel's own, whose size is not published.
        for (int bytes = 128; bytes <= 8192; bytes *= 2)
        {
            byte[] set = new byte[bytes];
            if (Libc.GetAffinity(Environment.ProcessId, set) >= 0)
            {
                return set;
            }
        }
        return null;
    }

    private static int? CountAffinity()
    {
        if (ReadAffinityMask() is not { } set)
        {
            return null;
        }
        int count = 0;
        foreach (byte cpus in set)
        {
            count += BitOperations.PopCount(cpus);
        }
        return count;
    }
}
