using System.Globalization;

namespace Graphene.Bench;

/// <summary>
/// Runs models with Graphene, with ONNX Runtime and in f64 on the same inputs: do both agree, and which is nearer to the truth?
/// </summary>
internal static class Agreement
{
    /// <summary>Compares all outputs of all models.</summary>
    /// <param name="models">The models with their inputs.</param>
    /// <param name="bound">What an output may differ from ONNX Runtime's.</param>
    /// <returns>The table, and true when every model agrees.</returns>
    /// <exception cref="BenchException">ONNX Runtime does not run.</exception>
    public static (ResultTable Table, bool Agrees) Run(IEnumerable<ModelEntry> models, double bound)
    {
        var table = new ResultTable(
            "model", "outputs", "Graphene to ONNX Runtime", "at output", "agrees", "Graphene to f64", "ONNX Runtime to f64");
        bool all = true;
        foreach (ModelEntry model in models)
        {
            IReadOnlyDictionary<string, Literal> theirs = ModelOutputs.OfOnnxRuntime(model);
            IReadOnlyDictionary<string, Literal> ours = ModelOutputs.OfGraphene(model);
            IReadOnlyDictionary<string, Literal> exact = ModelOutputs.InDoublePrecision(model);
            OutputDifference between = OutputDifference.Worst(ours, theirs);
            bool agrees = between.Value <= bound;
            all &= agrees;
            table.Add(
                model.Name, theirs.Count.ToString(CultureInfo.InvariantCulture), Text(between), between.Output, agrees ? "yes" : "no",
                Text(OutputDifference.Worst(ours, exact)), Text(OutputDifference.Worst(theirs, exact)));
        }
        return (table, all);
    }

    private static string Text(OutputDifference difference) => difference.Value.ToString("0.0e-0", CultureInfo.InvariantCulture);
}
