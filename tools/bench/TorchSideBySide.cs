using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>What to measure beside PyTorch.</summary>
/// <param name="Names">Workloads whose name contains one of these; all when empty.</param>
/// <param name="Threads">Thread counts; each is a table row.</param>
/// <param name="Rounds">How often each program takes its turn.</param>
/// <param name="Seconds">How long a turn lasts, about.</param>
internal sealed record TorchOptions(
    IReadOnlyList<string> Names, IReadOnlyList<int> Threads, int Rounds, double Seconds)
{
    /// <summary>The workloads that were asked for.</summary>
    /// <exception cref="BenchException">None has such a name.</exception>
    public IReadOnlyList<T> Choose<T>(IEnumerable<T> all, Func<T, string> name)
    {
        T[] chosen = [.. all.Where(w => Names.Count == 0 || Names.Any(n => name(w).Contains(n, StringComparison.Ordinal)))];
        return chosen.Length > 0 ? chosen : throw new BenchException($"no workload has a name like {string.Join(", ", Names)}");
    }

    /// <summary>A row for each workload and thread count, printed as it is measured: all of them take minutes.</summary>
    public void AddRows<T>(ResultTable table, IReadOnlyList<T> workloads, Func<T, int, string[]> measure)
    {
        foreach (T workload in workloads)
        {
            foreach (int threads in Threads)
            {
                string[] row = measure(workload, threads);
                table.Add(row);
                Console.WriteLine(string.Join("  ", row));
            }
        }
    }
}

/// <summary>
/// Runs Graphene and PyTorch in turns on memory-bound work and attention and compares the medians of the rounds with PyTorch's
/// faster mode.
/// </summary>
internal static class TorchSideBySide
{
    public static Report Run(TorchOptions options)
    {
        var peer = new TorchPeer();
        var table = new ResultTable(
            "workload", "threads", "Graphene ms", "GB/s", "eager ms", "compiled ms", "ratio to the better", "goal");
        options.AddRows(
            table, options.Choose(TorchWorkload.All(), w => w.Case.Name), (workload, threads) => MeasureRow(options, peer, workload, threads));
        return new Report(
            table,
            $"Graphene beside {peer.Name}, {options.Rounds} rounds in turns, medians of the rounds' medians. Ratio: the median of the\n" +
            "rounds' ratios; below 1 Graphene is faster. GB/s counts the bytes that must be read and written once.");
    }

    private static string[] MeasureRow(TorchOptions options, TorchPeer peer, TorchWorkload workload, int threads)
    {
        using var run = new OpRun(workload.Case, threads);
        TorchComparison both = TorchComparison.Measure(run, peer, workload.Peer, threads, options.Rounds, options.Seconds);
        return
        [
            workload.Case.Name, $"{threads}", Ms(both.Ms), Invariant($"{workload.Case.Bytes / both.Ms / 1e6:F1}"),
            TorchComparison.Text(both.EagerMs), TorchComparison.Text(both.CompiledMs), Invariant($"{both.Ratio:F2}"),
            workload.Goal is { } goal ? Invariant($"{goal:F1}") : "-",
        ];
    }
}
