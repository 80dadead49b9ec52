using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Graphene.Bench;

/// <summary>
/// Runs models with Graphene, with ONNX Runtime and in f64 on the same inputs: do both agree, and which is nearer to the truth?
/// </summary>
internal static class Agreement
{
    private static readonly string[] Columns =
        ["model", "outputs", "Graphene to ONNX Runtime", "at output", "agrees", "Graphene to f64", "ONNX Runtime to f64"];

    /// <summary>Compares and prints a table.</summary>
    /// <param name="models">The models with their inputs.</param>
    /// <param name="bound">What an output may differ from ONNX Runtime's.</param>
    /// <param name="report">Markdown file, or null.</param>
    /// <returns>True when every model agrees.</returns>
    /// <exception cref="BenchException">ONNX Runtime does not run.</exception>
    public static bool Run(IEnumerable<ModelEntry> models, double bound, string? report)
    {
        var table = new Table().AddColumns(Columns);
        var text = new StringBuilder($"| {string.Join(" | ", Columns)} |\n|{string.Concat(Columns.Select(_ => " --- |"))}\n");
        bool all = true;
        foreach (ModelEntry model in models)
        {
            IReadOnlyDictionary<string, Literal> theirs = ModelOutputs.OfOnnxRuntime(model);
            IReadOnlyDictionary<string, Literal> ours = ModelOutputs.OfGraphene(model);
            IReadOnlyDictionary<string, Literal> exact = ModelOutputs.InDoublePrecision(model);
            OutputDifference between = OutputDifference.Worst(ours, theirs);
            bool agrees = between.Value <= bound;
            all &= agrees;
            string[] row =
            [
                model.Name, theirs.Count.ToString(CultureInfo.InvariantCulture), Text(between), between.Output, agrees ? "yes" : "no",
                Text(OutputDifference.Worst(ours, exact)), Text(OutputDifference.Worst(theirs, exact)),
            ];
            table.AddRow([.. row.Select(Markup.Escape)]);
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |\n");
        }
        AnsiConsole.Write(table);
        if (report is not null)
        {
            File.WriteAllText(report, text.ToString());
        }
        return all;
    }

    private static string Text(OutputDifference difference) => difference.Value.ToString("0.0e-0", CultureInfo.InvariantCulture);
}
