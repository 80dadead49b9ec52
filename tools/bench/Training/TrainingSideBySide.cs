using Graphene.Cli;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench.Training;

/// <summary>Trains the same models with Graphene and PyTorch in turns and compares the times of a step.</summary>
internal static class TrainingSideBySide
{
    // On one batch that is seen again and again the loss falls from the first step on; a turn may have as few as ten.
    private const double LeastFall = 0.002;

    /// <summary>Measures all workloads whose name contains one of the given names.</summary>
    /// <exception cref="BenchException">A loss did not fall: what was measured did not train.</exception>
    public static Report Run(TorchOptions options)
    {
        var peer = new TorchPeer();
        var table = new ResultTable(
            "workload", "threads", "Graphene ms", "GFLOP/s", "eager ms", "compiled ms", "ratio to the better", "loss: Graphene", "loss: PyTorch");
        options.AddRows(table, Chosen(options), (workload, threads) => MeasureRow(options, peer, workload, threads));
        return new Report(
            table,
            $"Graphene beside {peer.Name}, {options.Rounds} rounds in turns, medians of the rounds' medians. A step is forward, loss, backward and\n" +
            "update. Ratio: the median of the rounds' ratios; below 1 Graphene is faster. Losses: of the first and the last step of a turn;\n" +
            "how many steps it has differs.");
    }

    /// <summary>Prints where the time of a step goes, kernel by kernel.</summary>
    public static void ShowKernels(TorchOptions options)
    {
        var io = new CommandIO(Console.Out, Console.Error);
        foreach (TrainingWorkload workload in Chosen(options))
        {
            foreach (int threads in options.Threads)
            {
                using var run = new TrainingRun(workload, threads);
                Console.WriteLine(Invariant(
                    $"{workload.Name}, {threads} threads: {Measurement.Median(run.Times(options.Seconds)) * 1e3:F3} ms a step without reports"));
                run.Profile(threads, warmup: 10, runs: 50).Show(io);
            }
        }
    }

    private static IReadOnlyList<TrainingWorkload> Chosen(TorchOptions options) => options.Choose(TrainingWorkload.All(), w => w.Name);

    private static string[] MeasureRow(TorchOptions options, TorchPeer peer, TrainingWorkload workload, int threads)
    {
        using var run = new TrainingRun(workload, threads);
        TorchComparison both = TorchComparison.Measure(run, peer, [workload.Name], threads, options.Rounds, options.Seconds);
        TorchFigure theirs = both.Rounds[^1].Values.FirstOrDefault()
            ?? throw new BenchException($"PyTorch reported nothing about {workload.Name}");
        RequireFall("Graphene", workload, run.FirstLoss, run.LastLoss);
        RequireFall(peer.Name, workload, theirs.FirstLoss ?? double.NaN, theirs.LastLoss ?? double.NaN);
        return
        [
            workload.Name, $"{threads}", Ms(both.Ms), Invariant($"{workload.Flops / both.Ms / 1e6:F0}"),
            TorchComparison.Text(both.EagerMs), TorchComparison.Text(both.CompiledMs), Invariant($"{both.Ratio:F2}"),
            Invariant($"{run.FirstLoss:F3} to {run.LastLoss:F3}"), Invariant($"{theirs.FirstLoss:F3} to {theirs.LastLoss:F3}"),
        ];
    }

    private static void RequireFall(string who, TrainingWorkload workload, double first, double last)
    {
        if (!(last < first * (1 - LeastFall)))
        {
            throw new BenchException(Invariant($"{who} did not train {workload.Name}: its loss went from {first:F4} to {last:F4}"));
        }
    }
}
