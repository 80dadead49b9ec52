using System.Text;
using Graphene.Cli.Execution;
using static Graphene.Bench.ResultTable;

namespace Graphene.Bench;

/// <summary>A table with what it takes to read and to repeat it.</summary>
/// <param name="Table">The rows.</param>
/// <param name="Introduction">What is compared, and how to read it.</param>
internal sealed record Report(ResultTable Table, string Introduction)
{
    /// <summary>Introduction, date, machine, command, the ceilings of this minute, and the table, as Markdown.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="threadCounts">Thread counts for the ceilings.</param>
    public string ToMarkdown(string command, IEnumerable<int> threadCounts)
    {
        var text = new StringBuilder();
        text.AppendLine(Introduction).AppendLine();
        text.AppendLine(Invariant($"- {DateTime.UtcNow:yyyy-MM-dd}, {MachineDescription.OneLine()}"));
        text.AppendLine($"- `{command}`");
        foreach (int threads in threadCounts)
        {
            text.AppendLine(Invariant($"- ceilings right after, {Ceilings.Measure(threads)}"));
        }
        return text.AppendLine().Append(Table.ToMarkdown()).ToString();
    }
}
