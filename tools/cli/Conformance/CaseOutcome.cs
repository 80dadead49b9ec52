namespace Graphene.Cli.Conformance;

/// <summary>How a case ended.</summary>
internal enum CaseResult
{
    /// <summary>All outputs are as expected.</summary>
    Passed,

    /// <summary>Something is wrong: a value, an error, a crash, a timeout.</summary>
    Failed,

    /// <summary>The case needs something that Graphene says it does not have.</summary>
    Skipped,
}

/// <summary>A case's result with its reason; for a pass a remark, usually empty.</summary>
internal sealed record CaseOutcome(CaseResult Result, string Reason)
{
    public static CaseOutcome Passed(string remark = "") => new(CaseResult.Passed, OneLine(remark));

    public static CaseOutcome Failed(string reason) => new(CaseResult.Failed, OneLine(reason));

    public static CaseOutcome Skipped(string reason) => new(CaseResult.Skipped, OneLine(reason));

    /// <summary>The word in reports.</summary>
    public string Word => Result switch { CaseResult.Passed => "passed", CaseResult.Failed => "failed", _ => "skipped" };

    /// <summary>One line between processes: the word, a tab, the reason.</summary>
    public string ToLine() => $"{Word}\t{Reason}";

    /// <summary>Reads <see cref="ToLine"/> back; null for any other line.</summary>
    public static CaseOutcome? TryParse(string line)
    {
        string[] parts = line.Split('\t', 2);
        return parts switch
        {
            ["passed", var remark] => new CaseOutcome(CaseResult.Passed, remark),
            ["failed", var reason] => new CaseOutcome(CaseResult.Failed, reason),
            ["skipped", var reason] => new CaseOutcome(CaseResult.Skipped, reason),
            _ => null,
        };
    }

    private static string OneLine(string text) =>
        string.Join(" | ", text.Replace('\t', ' ').Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
