using System.Globalization;
using Graphene.Codegen;
using Graphene.Runtime;

namespace Graphene.GpuCheck;

/// <summary>Runs a pack on a device: first every case against its values, then the measurements.</summary>
/// <remarks>
/// A kernel that fails takes the device's context with it, and one that never ends takes the process. Whoever started
/// this process starts it again then, and it goes on behind the case that failed: results are in a file, one line each.
/// A report is written whatever happened.
/// </remarks>
internal static class Check
{
    private const int Again = 3;

    /// <summary>Checks.</summary>
    /// <returns>0: everything as it should be, 1: something differs, 2: it cannot run, 3: to be started again.</returns>
    public static int Run(string folder, CheckOptions options)
    {
        ResultFile results = Open(folder, options);
        try
        {
            using GpuDevice device = options.IsInterpreted ? new InterpretedGpu() : CudaDevice.Open();
            results.Add(ResultFile.Device, ResultFile.Known, string.Create(
                CultureInfo.InvariantCulture, $"{device.Name}, sm_{device.Architecture}, {device.Multiprocessors} multiprocessors"));
            if (!RunCases(folder, device, options, results) || !Measure(folder, device, options, results))
            {
                return Again;
            }
        }
        catch (GraphException e)
        {
            Console.Error.WriteLine($"gpu-check: {e.Message}");
            Report.Write(folder, results, e.Message);
            return 2;
        }
        return WriteReport(folder, options);
    }

    /// <summary>Writes the report of what ran.</summary>
    /// <returns>0 where everything passed, 1 where something failed, 2 where nothing ran.</returns>
    public static int WriteReport(string folder, CheckOptions options)
    {
        ResultFile results = Open(folder, options);
        bool isEmpty = results.Count(ResultFile.Passed) + results.Count(ResultFile.Measured) + results.Count(ResultFile.Failure) == 0;
        string? problem = !isEmpty ? null
            : results.Count(ResultFile.Skipped) > 0 ? "there is no code for this device in the pack: pack again, with --target"
            : options.Only.Length > 0 ? $"no case has '{options.Only}' in its name" : "nothing ran";
        Console.WriteLine(Report.Write(folder, results, problem));
        if (problem is not null)
        {
            Console.Error.WriteLine($"gpu-check: {problem}");
        }
        return isEmpty ? 2 : results.Count(ResultFile.Failure) > 0 ? 1 : 0;
    }

    /// <summary>The best code of a folder for a device: for its own architecture if there is some.</summary>
    public static string? CodeFor(string place, GpuDevice device) => Directory.GetFiles(place, "*.graphene")
        .Where(f => Path.GetFileNameWithoutExtension(f) is var target && (target == CheckOptions.Interpreter
            ? device is InterpretedGpu
            : device is CudaDevice && device.WhyNot(target) is null))
        .OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal).LastOrDefault(); // sm_90a is longer than sm_80

    private static ResultFile Open(string folder, CheckOptions options) => new(Path.Combine(folder, $"results-{options.Device}.tsv"));

    private static bool RunCases(string folder, GpuDevice device, CheckOptions options, ResultFile results)
    {
        IEnumerable<string> places = Folders(folder, "numeric")
            .Where(p => options.Wants(Path.GetFileName(p)) && !results.Has(Path.GetFileName(p)));
        foreach (string place in places)
        {
            using var guard = new CaseGuard(Path.GetFileName(place), options.Seconds, results);
            if (NumericCheck.Run(place, device, options, results))
            {
                return false;
            }
        }
        return true;
    }

    private static bool Measure(string folder, GpuDevice device, CheckOptions options, ResultFile results)
    {
        string[] places = options.IsInterpreted ? [] : [.. Folders(folder, "bench").Where(p => options.Wants(Path.GetFileName(p)))];
        if (places.Length > 0 && results.Find(ResultFile.CopyRate) is null)
        {
            results.Add(ResultFile.CopyRate, ResultFile.Known, device.MeasureCopyRate().ToString("R", CultureInfo.InvariantCulture));
        }
        foreach (string place in places.Where(p => !results.Has(Path.GetFileName(p))))
        {
            using var guard = new CaseGuard(Path.GetFileName(place), options.Seconds, results);
            if (Benchmark.Run(place, device, results))
            {
                return false;
            }
        }
        return true;
    }

    private static IEnumerable<string> Folders(string folder, string part)
    {
        string parent = Path.Combine(folder, part);
        return Directory.Exists(parent) ? Directory.GetDirectories(parent).Order(StringComparer.Ordinal) : [];
    }
}
