using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Graphene.Bench;

/// <summary>What one process reported about one model.</summary>
/// <param name="MinMs">The fastest run.</param>
/// <param name="MedianMs">The median run.</param>
/// <param name="PrepareMs">Load and compile, or session creation.</param>
/// <param name="PeakRssMb">The process's peak resident memory.</param>
internal sealed record Measurement(double MinMs, double MedianMs, double PrepareMs, double PeakRssMb)
{
    /// <summary>Runs a program whose last line is a JSON object.</summary>
    /// <exception cref="BenchException">The program failed; the message holds its first error lines.</exception>
    public static JsonElement RunJson(string program, IEnumerable<string> arguments)
    {
        // Through a shell that forks: Linux hands this process's peak memory down to what it starts itself, and a peer
        // that reports its own peak would report ours.
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(program, arguments)
            : new ProcessStartInfo("/bin/sh", ["-c", "\"$@\"; exit $?", "sh", program, .. arguments]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        using Process process = Process.Start(start) ?? throw new BenchException($"{program} does not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string last = output.TrimEnd().Split('\n')[^1].Trim();
        if (process.ExitCode != 0 || !last.StartsWith('{'))
        {
            string reason = string.Join(" | ", errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(3));
            throw new BenchException(
                $"{Path.GetFileName(program)} ended with {process.ExitCode.ToString(CultureInfo.InvariantCulture)}: {reason}");
        }
        return JsonDocument.Parse(last).RootElement;
    }

    /// <summary>The median of several values.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
