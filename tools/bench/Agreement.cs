using System.Diagnostics;
using System.Globalization;
using Graphene.Cli;
using Graphene.Cli.Values;
using Graphene.Interop.Numpy;
using Spectre.Console;

namespace Graphene.Bench;

/// <summary>Runs models with Graphene and with ONNX Runtime on the same inputs and compares all outputs.</summary>
/// <remarks>
/// The difference of an output is its largest absolute difference over its largest absolute value: elements that are small
/// differences of large numbers have no relative precision of their own.
/// </remarks>
internal static class Agreement
{
    /// <summary>Compares and prints a table.</summary>
    /// <param name="models">The models with their inputs.</param>
    /// <param name="bound">What an output may differ.</param>
    /// <returns>True when every model agrees.</returns>
    /// <exception cref="BenchException">ONNX Runtime does not run.</exception>
    public static bool Run(IEnumerable<ModelEntry> models, double bound)
    {
        Table table = new Table().AddColumns("model", "outputs", "largest difference", "at output", "agrees");
        bool all = true;
        foreach (ModelEntry model in models)
        {
            string folder = Directory.CreateTempSubdirectory("graphene-agreement-").FullName;
            try
            {
                (int outputs, double difference, string where) = Compare(model, folder);
                bool agrees = difference <= bound;
                all &= agrees;
                table.AddRow(
                    model.Name, outputs.ToString(CultureInfo.InvariantCulture), difference.ToString("E1", CultureInfo.InvariantCulture),
                    Markup.Escape(where), agrees ? "yes" : "no");
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        AnsiConsole.Write(table);
        return all;
    }

    private static (int Outputs, double Difference, string Where) Compare(ModelEntry model, string folder)
    {
        string theirs = Path.Combine(folder, "onnxruntime");
        string ours = Path.Combine(folder, "graphene");
        RunPeer(model, theirs);
        using var error = new StringWriter();
        int exit = CommandLine.Run(
            ["run", model.Path, .. model.InputFiles().SelectMany(f => new[] { "--input", $"{f.Name}={f.File}" }), "--output-dir", ours],
            TextWriter.Null, error);
        if (exit != ExitCode.Success)
        {
            return (0, double.PositiveInfinity, error.ToString().Trim());
        }

        string[] files = Directory.GetFiles(theirs, "*.npy");
        double worst = 0;
        string where = "";
        foreach (string file in files)
        {
            string name = Path.GetFileName(file);
            double difference = Difference(Path.Combine(ours, name), file);
            if (difference >= worst)
            {
                (worst, where) = (difference, Path.GetFileNameWithoutExtension(name));
            }
        }
        return files.Length == 0 ? (0, double.PositiveInfinity, "ONNX Runtime gave no outputs") : (files.Length, worst, where);
    }

    private static double Difference(string actualFile, string expectedFile)
    {
        if (!File.Exists(actualFile))
        {
            return double.PositiveInfinity;
        }
        Literal actual = NpyFile.Read(actualFile);
        Literal expected = NpyFile.Read(expectedFile);
        if (Tolerance.TypeDifference(actual, expected) is not null)
        {
            return double.PositiveInfinity;
        }
        double difference = 0;
        double largest = 0;
        for (long i = 0; i < expected.ElementCount; i++)
        {
            double x = actual[i].AsDouble;
            double y = expected[i].AsDouble;
            if (!double.IsFinite(x) || !double.IsFinite(y))
            {
                if (!x.Equals(y))
                {
                    return double.PositiveInfinity;
                }
                continue;
            }
            difference = Math.Max(difference, Math.Abs(x - y));
            largest = Math.Max(largest, Math.Abs(y));
        }
        return difference == 0 ? 0 : difference / largest;
    }

    private static void RunPeer(ModelEntry model, string outputs)
    {
        string script = Path.Combine(ModelSet.Shared(), "peers", "ort_bench.js");
        if (!File.Exists(script))
        {
            throw new BenchException($"ONNX Runtime is missing: there is no {script}");
        }
        var start = new ProcessStartInfo(
            "node", [script, model.Path, "--runs", "1", "--warmup", "1", "--inputs", model.InputFolder, "--outputs", outputs])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new BenchException($"{script} failed: {error}{output.Result}");
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new BenchException($"node does not start: {e.Message}");
        }
    }
}
