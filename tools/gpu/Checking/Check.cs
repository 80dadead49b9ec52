using Graphene.Codegen;
using Graphene.Runtime;

namespace Graphene.GpuCheck;

/// <summary>Runs a pack on a device: first every case against its values, then the measurements.</summary>
/// <remarks>
/// A kernel that fails takes the device's context with it. Whoever started this process starts it again then (exit status 3), and it goes on
/// behind the case that failed: results are in a file, one line each.
/// </remarks>
internal static class Check
{
    private const int Again = 3;

    /// <summary>Checks.</summary>
    public static int Run(string folder, CheckOptions options)
    {
        using GpuDevice device = options.IsInterpreted ? new InterpretedGpu() : CudaDevice.Open();
        var results = new ResultFile(Path.Combine(folder, $"results-{options.Device}.tsv"));
        foreach (string place in Folders(folder, "numeric").Where(p => options.Wants(Path.GetFileName(p))))
        {
            string name = Path.GetFileName(place);
            if (results.Has(name))
            {
                continue;
            }
            results.Begin(name);
            if (NumericCheck.Run(place, device, options, results))
            {
                return Again;
            }
        }
        foreach (string place in Folders(folder, "bench").Where(p => !options.IsInterpreted && options.Wants(Path.GetFileName(p))))
        {
            string name = Path.GetFileName(place);
            if (results.Has(name))
            {
                continue;
            }
            results.Begin(name);
            if (Benchmark.Run(place, device, results))
            {
                return Again;
            }
        }
        string report = Report.Write(folder, device, results);
        Console.WriteLine(report);
        return results.Failed == 0 ? 0 : 1;
    }

    /// <summary>The best code of a folder for a device: for its own architecture if there is some.</summary>
    public static string? CodeFor(string place, GpuDevice device) => Directory.GetFiles(place, "*.graphene")
        .Where(f => Path.GetFileNameWithoutExtension(f) is var target && (target == CheckOptions.Interpreter
            ? device is InterpretedGpu
            : device is CudaDevice && device.WhyNot(target) is null))
        .OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal).LastOrDefault(); // sm_90a is longer than sm_80

    private static IEnumerable<string> Folders(string folder, string part)
    {
        string parent = Path.Combine(folder, part);
        return Directory.Exists(parent) ? Directory.GetDirectories(parent).Order(StringComparer.Ordinal) : [];
    }
}
