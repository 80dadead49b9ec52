using System.Globalization;
using System.Text;

namespace Graphene.Cli.Conformance;

/// <summary>The outcomes of a suite: a table for people, a file for programs, counts in the last line.</summary>
internal sealed class ConformanceReport(IReadOnlyList<(string Case, CaseOutcome Outcome)> outcomes)
{
    private const int RemarksShown = 10;

    /// <summary>How many cases ended so.</summary>
    public int Count(CaseResult result) => outcomes.Count(o => o.Outcome.Result == result);

    /// <summary>The closing line.</summary>
    public string LastLine => string.Create(
        CultureInfo.InvariantCulture,
        $"{Count(CaseResult.Passed)} passed, {Count(CaseResult.Failed)} failed, {Count(CaseResult.Skipped)} skipped");

    /// <summary>Writes a tab-separated file: case, result, reason.</summary>
    public void WriteTsv(string path)
    {
        var text = new StringBuilder("case\tresult\treason\n");
        foreach ((string name, CaseOutcome outcome) in outcomes)
        {
            text.Append(name).Append('\t').Append(outcome.ToLine()).Append('\n');
        }
        File.WriteAllText(path, text.ToString());
    }

    /// <summary>Writes each failure and the remarks, then what was skipped by reason, then the closing line.</summary>
    public void WriteSummary(TextWriter output)
    {
        bool everyRemark = outcomes.Count(HasRemark) <= RemarksShown;
        foreach ((string name, CaseOutcome outcome) in outcomes.Where(
            o => o.Outcome.Result == CaseResult.Failed || (everyRemark && HasRemark(o))))
        {
            output.WriteLine($"{outcome.Word}   {name}: {Shorten(outcome.Reason)}");
        }
        if (!everyRemark)
        {
            output.WriteLine($"{outcomes.Count(HasRemark)} of those passed with a remark; --report lists them");
        }
        foreach (var group in outcomes.Where(o => o.Outcome.Result == CaseResult.Skipped)
            .GroupBy(o => o.Outcome.Reason).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"skipped  {group.Count(),4} x {Shorten(group.Key)}");
        }
        output.WriteLine(LastLine);
    }

    private static bool HasRemark((string Case, CaseOutcome Outcome) o) => o.Outcome is { Result: CaseResult.Passed, Reason.Length: > 0 };

    private static string Shorten(string text) => text.Length <= 220 ? text : text[..217] + "...";
}
