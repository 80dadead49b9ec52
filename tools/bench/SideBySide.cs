using Graphene.Cli.Execution;
using Spectre.Console;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>What to measure.</summary>
/// <param name="Models">The models, in the order of the table.</param>
/// <param name="Threads">Thread counts; each is a table row.</param>
/// <param name="Rounds">How often each program is started.</param>
/// <param name="Seconds">How long one program runs, about.</param>
internal sealed record SideBySideOptions(
    IReadOnlyList<ModelEntry> Models, IReadOnlyList<int> Threads, int Rounds, double Seconds);

/// <summary>
/// Runs Graphene and ONNX Runtime in turns (A B, B A, A B ...), each time in a new process with the ceilings measured beside them,
/// and compares what ran in the same round: a machine that changes its speed changes it for both.
/// </summary>
internal static class SideBySide
{
    private const long BytesThatMove = 100 << 20;
    private const double MovingMs = 1500;
    private const int MostAttempts = 3;
    private const double FewestCores = 0.75;

    public static Report Run(SideBySideOptions options)
    {
        var graphene = new GrapheneContender();
        var peer = new OnnxRuntimeContender();
        var table = new ResultTable(
            "model", "threads", "Graphene ms", "ONNX Runtime ms", "ratio", "of the fastest runs", "of FMA peak", "core to core ns", "prepare s: cold / cached / ORT",
            "peak MB: G / ORT");
        foreach (ModelEntry model in options.Models)
        {
            foreach (int threads in options.Threads)
            {
                AnsiConsole.MarkupLineInterpolated($"[grey]{model.Name}, threads {threads}[/]");
                table.Add(MeasureRow(options, graphene, peer, model, threads));
            }
        }

        return new Report(
            table,
            $"{graphene.Name} beside {peer.Name}, {options.Rounds} rounds in turns, medians of the rounds' medians. Ratio: of the medians and of the\n" +
            "fastest runs of a round, the median of the rounds; below 1 Graphene is faster. Prepare: importing and compiling, in the first round without the disk cache,\n" +
            "in the best round with it; ONNX Runtime's session creation. Peak: the whole process, the worst round. Core to core: how long a cache line took from one thread\n" +
            "to the other before each round; hosts run two processors of a guest now on cores that share a cache, now on others, and now on one core: rounds\n" +
            $"before or after which that was so are repeated, {MostAttempts - 1} times at most.");
    }

    private static string[] MeasureRow(
        SideBySideOptions options, Contender graphene, Contender peer, ModelEntry model, int threads)
    {
        // A short first look tells how many runs fill the time.
        double once = peer.Run(model, threads, 5, 2).MedianMs;
        int runs = (int)Math.Clamp(options.Seconds * 1000 / Math.Max(once, 0.001), 5, 2000);

        // What counts here is what comes after the first runs, and large constants move to huge pages beside them.
        double moving = new FileInfo(model.Path).Length >= BytesThatMove ? MovingMs : 0;
        int warmup = (int)Math.Max(Math.Max(5, runs / 2), moving / Math.Max(once, 0.001));

        Measurement Theirs() => peer.Run(model, threads, runs, warmup);
        Measurement Ours(int round)
        {
            Measurement measured = graphene.Run(model, threads, runs, warmup, cold: round == 0);
            if (round == 0 && options.Rounds > 1)
            {
                graphene.Run(model, threads, runs: 1, warmup: 0); // leaves the code for the next rounds to find
            }
            return measured;
        }

        List<Round> rounds;
        try
        {
            rounds = [.. Enumerable.Range(0, options.Rounds).Select(round => RunRound(threads, round % 2 == 1, () => Ours(round), Theirs))];
        }
        catch (BenchException e)
        {
            return [model.Name, $"{threads}", $"failed: {e.Message}", Ms(Theirs().MedianMs), "-", "-", "-", "-", "-", "-"];
        }
        double ours = Measurement.Median(rounds.Select(r => r.Ours.MedianMs));
        double theirs = Measurement.Median(rounds.Select(r => r.Theirs.MedianMs));
        double fma = Measurement.Median(rounds.Select(r => r.Before.FmaGigaflops));
        IEnumerable<string> coreToCore = rounds.Select(r => r.Before.HandoverNanoseconds is { } ns ? Invariant($"{ns:F0}") : "-");
        return
        [
            model.Name, $"{threads}", Ms(ours), Ms(theirs), Invariant($"{Measurement.Median(rounds.Select(r => r.Ours.MedianMs / r.Theirs.MedianMs)):F2}"),
            Invariant($"{Measurement.Median(rounds.Select(r => r.Ours.MinMs / r.Theirs.MinMs)):F2}"),
            model.Gigaflop is { } work ? Invariant($"{work / ours * 1e3 / fma:P0}") : "-",
            string.Join(", ", coreToCore.Distinct()),
            Invariant($"{rounds[0].Ours.PrepareMs / 1000:F2} / {Cached(rounds)} / {rounds.Min(r => r.Theirs.PrepareMs) / 1000:F2}"),
            Invariant($"{rounds.Max(r => r.Ours.PeakRssMb):F0} / {rounds.Max(r => r.Theirs.PeakRssMb):F0}"),
        ];
    }

    private static Round RunRound(int threads, bool theirsFirst, Func<Measurement> ours, Func<Measurement> theirs)
    {
        for (int attempt = 1; ; attempt++)
        {
            bool hadCores = HaveCoresOfTheirOwn(threads);
            Ceilings before = Ceilings.Measure(threads);
            Measurement? early = theirsFirst ? theirs() : null;
            var round = new Round(before, ours(), early ?? theirs());
            if (attempt == MostAttempts || (hadCores && HaveCoresOfTheirOwn(threads)))
            {
                return round;
            }
        }
    }

    // Hosts give two processors of a guest one core between them for seconds, where two threads compute what one does.
    private static bool HaveCoresOfTheirOwn(int threads) =>
        threads == 1 || Ceilings.SampleFmaGigaflops(threads) >= FewestCores * threads * Ceilings.SampleFmaGigaflops(1);

    // The first round compiled without the disk cache; a run after it filled the cache.
    private static string Cached(List<Round> rounds) =>
        rounds.Count > 1 ? Invariant($"{rounds.Skip(1).Min(r => r.Ours.PrepareMs) / 1000:F2}") : "-";

    private sealed record Round(Ceilings Before, Measurement Ours, Measurement Theirs);
}
