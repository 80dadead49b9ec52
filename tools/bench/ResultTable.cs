using System.Globalization;
using System.Text;
using Graphene.Cli.Execution;
using Spectre.Console;

namespace Graphene.Bench;

/// <summary>The rows of a measurement beside a peer: shown on the console, and written as Markdown with what it takes to repeat it.</summary>
/// <param name="columns">The heads of the columns.</param>
internal sealed class ResultTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row, one text per column.</summary>
    public void Add(params string[] row) => _rows.Add(row);

    /// <summary>Prints the table.</summary>
    public void Show()
    {
        var table = new Table().AddColumns(columns);
        _rows.ForEach(r => table.AddRow([.. r.Select(Markup.Escape)]));
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 140);
        AnsiConsole.Write(table);
    }

    /// <summary>Writes introduction, date, machine, command, the ceilings of this minute, and the table.</summary>
    /// <param name="path">The Markdown file.</param>
    /// <param name="introduction">What is compared, and how to read it.</param>
    /// <param name="command">The command line.</param>
    /// <param name="threadCounts">Thread counts for the ceilings.</param>
    public void Write(string path, string introduction, string command, IEnumerable<int> threadCounts)
    {
        var text = new StringBuilder();
        text.AppendLine(introduction).AppendLine();
        text.AppendLine(Invariant($"- {DateTime.UtcNow:yyyy-MM-dd}, {MachineDescription.OneLine()}"));
        text.AppendLine($"- `{command}`");
        foreach (int threads in threadCounts)
        {
            Ceilings c = Ceilings.Measure(threads);
            text.AppendLine(Invariant(
                $"- ceilings right after, {threads} threads: {c.FmaGigaflops:F0} GFLOP/s FMA, {c.ReadGigabytesPerSecond:F1} GB/s read"));
        }
        text.AppendLine().AppendLine($"| {string.Join(" | ", columns)} |").AppendLine($"|{string.Concat(columns.Select(_ => " --- |"))}");
        _rows.ForEach(r => text.AppendLine($"| {string.Join(" | ", r.Select(c => c.Replace("|", "/", StringComparison.Ordinal)))} |"));
        File.WriteAllText(path, text.ToString());
        Console.WriteLine($"written to {path}");
    }

    /// <summary>Milliseconds with as many digits as mean something.</summary>
    public static string Ms(double value) => value < 1 ? Invariant($"{value:F4}") : Invariant($"{value:F2}");

    /// <summary>A text that is the same everywhere.</summary>
    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
