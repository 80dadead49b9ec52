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

    public static Report Run(SideBySideOptions options)
    {
        var graphene = new GrapheneContender();
        var peer = new OnnxRuntimeContender();
        var table = new ResultTable(
            "model", "threads", "Graphene ms", "ONNX Runtime ms", "ratio", "of the fastest runs", "of FMA peak", "prepare s: cold / cached / ORT",
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
            $"{graphene.Name} beside {peer.Name}, {options.Rounds} rounds in turns, medians of the rounds' medians. Ratio: the median of the rounds'\n" +
            "ratios, and of the fastest run of each in all rounds; below 1 Graphene is faster. Prepare: importing and compiling, in the first round without the disk cache,\n" +
            "in the best round with it; ONNX Runtime's session creation. Peak: the whole process, the worst round.");
    }

    private static string[] MeasureRow(
        SideBySideOptions options, Contender graphene, Contender peer, ModelEntry model, int threads)
    {
        var a = new List<Measurement>();
        var b = new List<Measurement>();
        var fma = new List<double>();
        string problem = "";
        int runs = 0;
        int warmup = 0;
        for (int round = 0; round < options.Rounds; round++)
        {
            fma.Add(Ceilings.Measure(threads).FmaGigaflops);
            if (runs == 0)
            {
                // A short first look tells how many runs fill the time.
                double once = peer.Run(model, threads, 5, 2).MedianMs;
                runs = (int)Math.Clamp(options.Seconds * 1000 / Math.Max(once, 0.001), 5, 2000);

                // What counts here is what comes after the first runs, and large constants move to huge pages beside them.
                double moving = new FileInfo(model.Path).Length >= BytesThatMove ? MovingMs : 0;
                warmup = (int)Math.Max(Math.Max(5, runs / 2), moving / Math.Max(once, 0.001));
            }
            if (round % 2 == 1)
            {
                b.Add(peer.Run(model, threads, runs, warmup));
            }
            try
            {
                a.Add(graphene.Run(model, threads, runs, warmup, cold: round == 0));
                if (round == 0 && options.Rounds > 1)
                {
                    graphene.Run(model, threads, runs: 1, warmup: 0); // leaves the code for the next rounds to find
                }
            }
            catch (BenchException e)
            {
                problem = e.Message;
            }
            if (round % 2 == 0)
            {
                b.Add(peer.Run(model, threads, runs, warmup));
            }
        }

        double theirs = Measurement.Median(b.Select(m => m.MedianMs));
        if (problem.Length > 0)
        {
            return [model.Name, $"{threads}", $"failed: {problem}", Ms(theirs), "-", "-", "-", "-", "-"];
        }
        double ours = Measurement.Median(a.Select(m => m.MedianMs));
        return
        [
            model.Name, $"{threads}", Ms(ours), Ms(theirs), Invariant($"{Measurement.Median(a.Zip(b, (x, y) => x.MedianMs / y.MedianMs)):F2}"),
            Invariant($"{a.Min(m => m.MinMs) / b.Min(m => m.MinMs):F2}"),
            model.Gigaflop is { } work ? Invariant($"{work / ours * 1e3 / Measurement.Median(fma):P0}") : "-",
            Invariant($"{a[0].PrepareMs / 1000:F2} / {Cached(a)} / {b.Min(m => m.PrepareMs) / 1000:F2}"),
            Invariant($"{a.Max(m => m.PeakRssMb):F0} / {b.Max(m => m.PeakRssMb):F0}"),
        ];
    }

    // The first round compiled without the disk cache; a run after it filled the cache.
    private static string Cached(List<Measurement> rounds) =>
        rounds.Count > 1 ? Invariant($"{rounds.Skip(1).Min(m => m.PrepareMs) / 1000:F2}") : "-";
}
