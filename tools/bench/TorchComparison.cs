namespace Graphene.Bench;

/// <summary>One program and what PyTorch calls it, run in turns.</summary>
/// <param name="Ms">Graphene's median of the rounds' medians.</param>
/// <param name="EagerMs">PyTorch's, eager; infinite when it cannot run it.</param>
/// <param name="CompiledMs">PyTorch's, compiled; infinite when it cannot run it.</param>
/// <param name="Rounds">All that PyTorch reported.</param>
internal sealed record TorchComparison(
    double Ms, double EagerMs, double CompiledMs, IReadOnlyList<IReadOnlyDictionary<(string Figure, string Mode), TorchFigure>> Rounds)
{
    /// <summary>Graphene's time over that of PyTorch's faster mode.</summary>
    public double Ratio => Ms / Math.Min(EagerMs, CompiledMs);

    /// <summary>Runs both in turns.</summary>
    /// <param name="run">Graphene's program.</param>
    /// <param name="peer">PyTorch.</param>
    /// <param name="figures">What torch_bench.py calls it; where PyTorch can write it in several ways, the fastest counts.</param>
    /// <param name="threads">Threads that both may use.</param>
    /// <param name="rounds">How often each takes its turn.</param>
    /// <param name="seconds">How long a turn lasts, about.</param>
    public static TorchComparison Measure(
        ITimedRun run, TorchPeer peer, string[] figures, int threads, int rounds, double seconds)
    {
        var ours = new List<double>();
        var theirs = new List<IReadOnlyDictionary<(string Figure, string Mode), TorchFigure>>();
        for (int round = 0; round < rounds; round++)
        {
            ours.Add(Measurement.Median(run.Times(seconds)) * 1e3);
            theirs.Add(peer.Run(figures, threads, seconds));
        }
        return new TorchComparison(
            Measurement.Median(ours), Best(figures, theirs, "eager"), Best(figures, theirs, "compile"), theirs);
    }

    /// <summary>A time in milliseconds; a dash for one that there is not.</summary>
    public static string Text(double ms) => double.IsFinite(ms) ? ResultTable.Ms(ms) : "-";

    // The fastest way of writing it, each by the median of its rounds.
    private static double Best(
        string[] figures, List<IReadOnlyDictionary<(string Figure, string Mode), TorchFigure>> rounds, string mode) => figures
            .Select(figure => rounds.Where(r => r.ContainsKey((figure, mode))).Select(r => r[(figure, mode)].MedianMs).ToArray())
            .Select(medians => medians.Length == 0 ? double.PositiveInfinity : Measurement.Median(medians))
            .Min();
}
