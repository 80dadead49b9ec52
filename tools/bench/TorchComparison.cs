namespace Graphene.Bench;

/// <summary>One program and what PyTorch calls it, run in turns.</summary>
/// <param name="Ms">Graphene's median of the rounds' medians.</param>
/// <param name="EagerMs">PyTorch's, eager; infinite when it cannot run it.</param>
/// <param name="CompiledMs">PyTorch's, compiled; infinite when it cannot run it.</param>
/// <param name="Ratio">Graphene's time over that of PyTorch's faster mode: the median of what it was in each round.</param>
/// <param name="Rounds">All that PyTorch reported.</param>
internal sealed record TorchComparison(
    double Ms, double EagerMs, double CompiledMs, double Ratio,
    IReadOnlyList<IReadOnlyDictionary<(string Figure, string Mode), TorchFigure>> Rounds)
{
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
        double[] eager = Best(figures, theirs, "eager");
        double[] compiled = Best(figures, theirs, "compile");
        double[] better = Measurement.Median(eager) <= Measurement.Median(compiled) ? eager : compiled;
        return new TorchComparison(
            Measurement.Median(ours), Measurement.Median(eager), Measurement.Median(compiled),
            Measurement.Median(ours.Zip(better, (a, b) => a / b)), theirs);
    }

    /// <summary>A time in milliseconds; a dash for one that there is not.</summary>
    public static string Text(double ms) => double.IsFinite(ms) ? ResultTable.Ms(ms) : "-";

    // The rounds of the way of writing it that is fastest, by its median; infinite where it was not reported.
    private static double[] Best(
        string[] figures, List<IReadOnlyDictionary<(string Figure, string Mode), TorchFigure>> rounds, string mode) => figures
            .Select(figure => rounds.Select(r => r.TryGetValue((figure, mode), out TorchFigure? f) ? f.MedianMs : double.PositiveInfinity).ToArray())
            .MinBy(Measurement.Median)!;
}
