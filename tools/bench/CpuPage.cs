using System.Text;

namespace Graphene.Bench;

/// <summary>What docs/benchmarks/cpu.md shows, part by part; all of it takes half an hour.</summary>
/// <param name="Models">The whole models.</param>
/// <param name="Threads">Thread counts; each is a table row.</param>
/// <param name="Rounds">How often each program takes its turn.</param>
/// <param name="Seconds">How long a turn lasts, about.</param>
/// <param name="Command">The command line.</param>
internal sealed record CpuPage(
    IReadOnlyList<ModelEntry> Models, IReadOnlyList<int> Threads, int Rounds, double Seconds, string Command)
{
    private static readonly int[] ProductSizes = [256, 512, 1024, 2048];
    private const double OpSeconds = 0.3;
    private const int MostTorchRounds = 3; // each starts PyTorch and has it compile
    private const double Bound = 1e-4;

    private const string Beginning =
        """
        # CPU benchmarks

        One command measures all of this page and writes it; each table has a command of its own as well (`tools/bench --help`). Graphene
        and its peers run in turns, whole models in processes of their own: hosts change their speed by 10 to 50 % within
        seconds, so numbers of different tables do not compare, ratios within one table do. [Notes](notes.md) say what bounds what.


        """;

    private const string Heading = "## ";

    private IReadOnlyList<(string Title, Func<Report> Measure)> Parts =>
    [
        ("Whole models", () => SideBySide.Run(new SideBySideOptions(Models, Threads, Rounds, Seconds))),
        ("One matrix product", () => SideBySide.Run(new SideBySideOptions(ModelSet.Gemm(ProductSizes), Threads, Rounds, OpSeconds))),
        ("Single ops", () => new Report(
            SingleOps.Run("", Threads, OpSeconds),
            "Dots and convolutions of real networks, in turns with the FMA rate of the same milliseconds. Shares: the median over all turns, and the\n" +
            "fastest run over the fastest probe; on a busy host the second says more.")),
        ("Narrow matrix products", () => new Report(
            NarrowProducts.Run("", Threads, OpSeconds), "Constant right operands, types in turns; the ratio is the rate over that of f32.")),
        ("Memory-bound work and attention", () => TorchSideBySide.Run(
            new TorchOptions([], Threads, Math.Min(Rounds, MostTorchRounds), OpSeconds))),
        ("How exact", () => new Report(
            Agreement.Run(Models, Bound).Table,
            "Largest difference of an output over its largest value; the same model with f64 in the place of f32 is the truth.")),
        ("The cost of a call", () => new Report(
            CallOverhead.Run(), "Runs through a callable in turns with bare calls of the same native function on the same memory, one thread.")),
    ];

    /// <summary>
    /// Measures parts and writes the page, again after each. A part that is not measured stays as it was, and a part whose peer is missing says so.
    /// </summary>
    /// <param name="path">The page.</param>
    /// <param name="names">Parts whose title contains one of these; all when empty.</param>
    /// <exception cref="BenchException">No part has such a title.</exception>
    public void Write(string path, IReadOnlyList<string> names)
    {
        Dictionary<string, string> sections = File.Exists(path) ? Sections(File.ReadAllText(path)) : [];
        (string Title, Func<Report> Measure)[] chosen = [.. Parts.Where(p =>
            names.Count == 0 || names.Any(n => p.Title.Contains(n, StringComparison.OrdinalIgnoreCase)))];
        if (chosen.Length == 0)
        {
            throw new BenchException($"no part is called {string.Join(", ", names)}; there are: {string.Join(", ", Parts.Select(p => p.Title))}");
        }
        foreach ((string title, Func<Report> measure) in chosen)
        {
            sections[title] = Measured(measure);
            var page = new StringBuilder(Beginning);
            foreach ((string each, _) in Parts.Where(p => sections.ContainsKey(p.Title)))
            {
                page.Append(Heading).AppendLine(each).AppendLine().AppendLine(sections[each]).AppendLine();
            }
            File.WriteAllText(path, page.ToString().TrimEnd() + "\n");
        }
        Console.WriteLine($"written to {path}");
    }

    private string Measured(Func<Report> measure)
    {
        try
        {
            Report report = measure();
            report.Table.Show();
            return report.ToMarkdown(Command, Threads).Trim();
        }
        catch (BenchException e)
        {
            Console.Error.WriteLine(e.Message);
            return $"Not measured: {e.Message}";
        }
    }

    private static Dictionary<string, string> Sections(string page) => page.Split("\n" + Heading).Skip(1)
        .Select(s => s.Split('\n', 2))
        .ToDictionary(s => s[0].Trim(), s => s[^1].Trim(), StringComparer.Ordinal);
}
