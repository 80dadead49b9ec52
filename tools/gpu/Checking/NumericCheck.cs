using System.Globalization;
using Graphene.Runtime;

namespace Graphene.GpuCheck;

/// <summary>One case: runs it three times, the third time as a captured graph, and compares all outputs.</summary>
internal static class NumericCheck
{
    private const int Runs = 3;

    /// <summary>Runs a case.</summary>
    /// <returns>Whether the device is lost.</returns>
    public static bool Run(string place, GpuDevice device, CheckOptions options, ResultFile results)
    {
        string name = Path.GetFileName(place);
        if (Check.CodeFor(place, device) is not { } code)
        {
            results.Add(name, ResultFile.Skipped, $"there is no code for {device.Name}");
            return false;
        }
        try
        {
            using SafetensorsFile values = SafetensorsFile.Open(Path.Combine(place, "values.safetensors"));
            using GpuProgram program = GpuProgram.Load(Executable.Read(code), device);
            Dictionary<string, Feed> feeds = program.Inputs.ToDictionary(i => i.Name, i => (Feed)values.Read(i.Name));
            string[] bounds = File.ReadAllLines(Path.Combine(place, "bounds.tsv"));
            for (int run = 0; run < (options.IsInterpreted ? 1 : Runs); run++)
            {
                Literal[] outputs = program.Run(feeds);
                for (int i = 0; i < outputs.Length; i++)
                {
                    if (Difference(outputs[i], values.Read($"y{i}"), bounds[i].Split('\t')) is { } difference)
                    {
                        results.Add(name, ResultFile.Failure, $"run {run}: {difference}");
                        return false;
                    }
                }
            }
            results.Add(name, ResultFile.Passed, $"{program.Outputs.Length} outputs, {Path.GetFileNameWithoutExtension(code)}");
            return false;
        }
        catch (GraphException e)
        {
            results.Add(name, ResultFile.Failure, e.Message);
            return e.Id == GpuDiagnostics.CallFailed;
        }
        catch (Exception e) // of a case: a damaged file, an access that the interpreter refuses
        {
            results.Add(name, ResultFile.Failure, $"{e.GetType().Name}: {e.Message}");
            return false;
        }
    }

    private static string? Difference(Literal actual, Literal expected, string[] bound)
    {
        double relative = double.Parse(bound[0], CultureInfo.InvariantCulture);
        double absolute = double.Parse(bound[1], CultureInfo.InvariantCulture);
        for (long i = 0; i < expected.ElementCount; i++)
        {
            Scalar x = actual[i], y = expected[i];
            if (x != y && !(x.DType.IsFloating() && IsClose(x.AsDouble, y.AsDouble, relative, absolute)))
            {
                return $"{bound[2]}: element {i} of {expected.Type} is {x}, not {y}";
            }
        }
        return null;
    }

    private static bool IsClose(double x, double y, double relative, double absolute) =>
        (double.IsNaN(x) && double.IsNaN(y)) ||
        (double.IsFinite(x) && double.IsFinite(y) && Math.Abs(x - y) <= (relative * Math.Abs(y)) + absolute);
}
