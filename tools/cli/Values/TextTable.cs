using System.Text;

namespace Graphene.Cli.Values;

/// <summary>Rows of text under headings, each column as wide as its widest cell.</summary>
/// <remarks>
/// <code>
///  output │ type        │ values
/// ────────┼─────────────┼────────────────────────
///  probs  │ f32[1,1000] │ min 0, max 1, mean 0.01
/// </code>
/// </remarks>
internal sealed class TextTable
{
    private readonly List<string[]> _rows = [];

    /// <summary>An empty table.</summary>
    public TextTable(params string[] headings) => _rows.Add(headings);

    /// <summary>Adds a row, which has a cell for each heading.</summary>
    public void AddRow(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes the table, between empty lines.</summary>
    public void Write(TextWriter output)
    {
        int[] widths = Widths();
        var text = new StringBuilder().AppendLine();
        for (int row = 0; row < _rows.Count; row++)
        {
            AppendRow(text, _rows[row], widths);
            if (row == 0)
            {
                AppendRule(text, widths);
            }
        }
        output.WriteLine(text);
    }

    private int[] Widths()
    {
        int[] widths = new int[_rows[0].Length];
        foreach (string[] row in _rows)
        {
            for (int i = 0; i < widths.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }
        return widths;
    }

    private static void AppendRow(StringBuilder text, string[] cells, int[] widths)
    {
        for (int i = 0; i < cells.Length; i++)
        {
            bool isLast = i == cells.Length - 1;
            text.Append(i == 0 ? " " : " │ ").Append(isLast ? cells[i] : cells[i].PadRight(widths[i]));
        }
        text.AppendLine();
    }

    private static void AppendRule(StringBuilder text, int[] widths)
    {
        for (int i = 0; i < widths.Length; i++)
        {
            text.Append(i == 0 ? "" : "┼").Append('─', widths[i] + 2);
        }
        text.AppendLine();
    }
}
