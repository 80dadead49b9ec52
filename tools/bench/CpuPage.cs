using System.Text;

namespace Graphene.Bench;

/// <summary>Measures everything that docs/benchmarks/cpu.md shows, and writes the page.</summary>
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
    private const double Bound = 1e-4;

    private const string Beginning =
        """
        # CPU benchmarks

        One command measures all of this page and writes it; each table has a command of its own as well (`tools/bench --help`). Graphene
        and its peers run in turns (A B A B ...), whole models in processes of their own: hosts change their speed by 10 to 50 % within
        seconds, so numbers of different tables do not compare, ratios within one table do. [Notes](notes.md) say what bounds what.


        """;

    /// <summary>Writes the page, again after each part: all take half an hour. A part whose peer is missing says so.</summary>
    public void Write(string path)
    {
        var page = new StringBuilder(Beginning);
        Add(path, page, "Whole models", () => SideBySide.Run(new SideBySideOptions(Models, Threads, Rounds, Seconds)));
        Add(path, page, "One matrix product", () => SideBySide.Run(
            new SideBySideOptions(ModelSet.Gemm(ProductSizes), Threads, Rounds, OpSeconds)));
        Add(path, page, "Single ops", () => new Report(
            SingleOps.Run("", Threads, OpSeconds), "Dots and convolutions of real networks, in turns with the FMA rate of the same milliseconds."));
        Add(path, page, "Narrow matrix products", () => new Report(
            NarrowProducts.Run("", Threads, OpSeconds), "Constant right operands, types in turns; the ratio is the rate over that of f32."));
        Add(path, page, "Memory-bound work and attention", () => TorchSideBySide.Run(new TorchOptions([], Threads, Rounds, OpSeconds)));
        Add(path, page, "How exact", () => new Report(
            Agreement.Run(Models, Bound).Table,
            "Largest difference of an output over its largest value; the same model with f64 in the place of f32 is the truth."));
        Add(path, page, "The cost of a call", () => new Report(
            CallOverhead.Run(), "Runs through a callable in turns with bare calls of the same native function on the same memory, one thread."));
        Console.WriteLine($"written to {path}");
    }

    private void Add(string path, StringBuilder page, string title, Func<Report> measure)
    {
        page.AppendLine($"## {title}").AppendLine();
        try
        {
            Report report = measure();
            report.Table.Show();
            page.AppendLine(report.ToMarkdown(Command, Threads));
        }
        catch (BenchException e)
        {
            Console.Error.WriteLine(e.Message);
            page.AppendLine($"Not measured: {e.Message}").AppendLine();
        }
        File.WriteAllText(path, page.ToString().TrimEnd() + "\n");
    }
}
