using System.Globalization;
using System.Text;

namespace Graphene.GpuCheck;

/// <summary>Writes what was found as a page: the device, the numeric suite, and the measurements beside the peers'.</summary>
internal static class Report
{
    /// <summary>Writes <c>report.md</c>.</summary>
    /// <param name="folder">The pack; <c>peers.tsv</c> in it holds the peers' times, if there are any: name, peer, milliseconds.</param>
    /// <param name="results">What came out.</param>
    /// <param name="problem">Why it ended early; null if it did not.</param>
    public static string Write(string folder, ResultFile results, string? problem)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {results.Find(ResultFile.Device) ?? "No device"}\n\n");
        if (problem is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"It ended early: {problem.ReplaceLineEndings(" ")}\n\n");
        }
        text.Append(CultureInfo.InvariantCulture,
            $"{results.Count(ResultFile.Passed)} passed, {results.Count(ResultFile.Failure)} failed, "
            + $"{results.Count(ResultFile.Skipped)} skipped\n");
        foreach ((string name, string _, string detail) in results.All.Where(r => r.Outcome == ResultFile.Failure))
        {
            text.Append(CultureInfo.InvariantCulture, $"- {name}: {detail}\n");
        }
        var measured = results.All.Where(r => r.Outcome == ResultFile.Measured).ToList();
        if (measured.Count > 0 && results.Find(ResultFile.CopyRate) is { } rate)
        {
            double copy = double.Parse(rate, CultureInfo.InvariantCulture);
            text.Append(
                CultureInfo.InvariantCulture,
                $"\nA copy reads and writes {copy / 1e9:F0} GB/s. Times in milliseconds, the fastest and the ");
            text.Append("median of 25 runs; peers in the same run.\n\n");
            Table(text, measured, ReadPeers(folder), copy);
        }
        File.WriteAllText(Path.Combine(folder, "report.md"), text.ToString());
        return text.ToString();
    }

    private static void Table(
        StringBuilder text, List<(string Name, string Outcome, string Detail)> measured,
        ILookup<string, (string Peer, double Ms)> peers, double copy)
    {
        string[] names = [.. peers.SelectMany(p => p).Select(p => p.Peer).Distinct().Order(StringComparer.Ordinal)];
        string columns = string.Concat(names.Select(n => $" {n} |"));
        text.Append(
            CultureInfo.InvariantCulture, $"| what | fastest | median | TFLOP/s | GB/s | of copy |{columns}\n");
        text.Append("| --- | --- | --- | --- | --- | --- |").Append(string.Concat(names.Select(_ => " --- |"))).Append('\n');
        foreach ((string name, string _, string detail) in measured)
        {
            double[] v = [.. detail.Split(' ').Take(4).Select(d => double.Parse(d, CultureInfo.InvariantCulture))];
            double rate = v[3] / v[0] / 1e6;
            string flops = v[2] > 0 ? (v[2] / v[0] / 1e9).ToString("F1", CultureInfo.InvariantCulture) : "";
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {v[0]:F4} | {v[1]:F4} | {flops} | {rate:F0} | {rate * 1e9 / copy:P0} |");
            foreach (string peer in names)
            {
                double ms = peers[name].Where(p => p.Peer == peer).Select(p => p.Ms).FirstOrDefault();
                text.Append(ms > 0 ? string.Create(CultureInfo.InvariantCulture, $" {ms:F4} |") : " |");
            }
            text.Append('\n');
        }
    }

    private static ILookup<string, (string Peer, double Ms)> ReadPeers(string folder)
    {
        string path = Path.Combine(folder, "peers.tsv");
        return (File.Exists(path) ? File.ReadAllLines(path) : []).Select(l => l.Split('\t'))
            // One may be cut off.
            .Where(f => f.Length == 3 && double.TryParse(f[2], NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            .ToLookup(f => f[0], f => (f[1], double.Parse(f[2], CultureInfo.InvariantCulture)), StringComparer.Ordinal);
    }
}
