using System.Globalization;
using System.Text;

namespace Graphene.Train;

/// <summary>A table of the layers of a model.</summary>
internal static class ModelSummary
{
    public static string Of(Model model)
    {
        string[][] rows =
        [
            ["layer", "kind", "output", "weights"],
            .. model.Sublayers.Select(l => new[] { l.Name, l.GetType().Name, $"{l.OutputType}", Number(Count(l.Weights)) }),
        ];
        int[] widths = [.. Enumerable.Range(0, 4).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder($"model '{model.Name}'\n");
        for (int i = 0; i < rows.Length; i++)
        {
            string[] row = rows[i];
            text.Append(row[0].PadRight(widths[0])).Append("  ").Append(row[1].PadRight(widths[1])).Append("  ")
                .Append(row[2].PadRight(widths[2])).Append("  ").Append(row[3].PadLeft(widths[3])).Append('\n');
            if (i == 0)
            {
                text.Append('-', widths.Sum() + 6).Append('\n');
            }
        }
        long all = Count(model.Weights);
        long trainable = Count(model.TrainableWeights);
        return text.Append(CultureInfo.InvariantCulture, $"{Number(all)} weights, {Number(trainable)} of them trainable\n").ToString();
    }

    private static long Count(IEnumerable<Variable> weights) => weights.Sum(w => w.Type.Shape.ElementCount.Value);

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
