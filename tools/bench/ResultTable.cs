using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Graphene.Bench;

/// <summary>The rows of a measurement, for the console and as Markdown.</summary>
/// <param name="columns">The heads of the columns.</param>
internal sealed class ResultTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row, one text per column.</summary>
    public void Add(params string[] row) => _rows.Add(row);

    /// <summary>Prints the table; nothing when it has no rows.</summary>
    public void Show()
    {
        if (_rows.Count == 0)
        {
            return;
        }
        var table = new Table().AddColumns(columns);
        _rows.ForEach(r => table.AddRow([.. r.Select(Markup.Escape)]));
        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 140);
        AnsiConsole.Write(table);
    }

    /// <summary>The table as Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine($"| {string.Join(" | ", columns)} |").AppendLine($"|{string.Concat(columns.Select(_ => " --- |"))}");
        _rows.ForEach(r => text.AppendLine($"| {string.Join(" | ", r.Select(c => c.Replace("|", "/", StringComparison.Ordinal)))} |"));
        return text.ToString();
    }

    /// <summary>Milliseconds with as many digits as mean something.</summary>
    public static string Ms(double value) => value < 1 ? Invariant($"{value:F4}") : Invariant($"{value:F2}");

    /// <summary>A text that is the same everywhere.</summary>
    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
