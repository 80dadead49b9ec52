using System.Diagnostics;
using Graphene.Cli;
using Graphene.Codegen;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Runtime;

namespace Graphene.Bench;

/// <summary>The outputs of a model on its inputs, by name, as different programs compute them.</summary>
internal static class ModelOutputs
{
    /// <summary>As <c>graphene run</c> computes them.</summary>
    /// <exception cref="BenchException">It does not run; the message says why.</exception>
    public static IReadOnlyDictionary<string, Literal> OfGraphene(ModelEntry model) => InFolder(folder =>
    {
        using var error = new StringWriter();
        string[] inputs = [.. model.InputFiles().SelectMany(f => new[] { "--input", $"{f.Name}={f.File}" })];
        int exit = CommandLine.Run(["run", model.Path, .. inputs, "--output-dir", folder], TextWriter.Null, error);
        if (exit != ExitCode.Success)
        {
            throw new BenchException($"{model.Name}: {error.ToString().Trim()}");
        }
    });

    /// <summary>As ONNX Runtime computes them.</summary>
    /// <exception cref="BenchException">It does not run; the message says why.</exception>
    public static IReadOnlyDictionary<string, Literal> OfOnnxRuntime(ModelEntry model) => InFolder(folder => RunPeer(model, folder));

    /// <summary>As Graphene computes them with f64 in the place of f32, without rewrites that change rounding.</summary>
    /// <exception cref="BenchException">The model has no meaning in f64.</exception>
    public static IReadOnlyDictionary<string, Literal> InDoublePrecision(ModelEntry model)
    {
        Dictionary<string, Literal> inputs = model.InputFiles().ToDictionary(f => f.Name, f => NpyFile.Read(f.File));
        using OnnxModelFile file = OnnxModelFile.Load(model.Path);
        Module module = DoublePrecision.Of(OnnxImporter.ImportFor(file, inputs).Module);
        using var session = new Session(module, GraphCompiler.Cpu());
        Literal[] outputs = session.Run(
            module.OutputNames, inputs.ToDictionary(i => i.Key, i => (Feed)DoublePrecision.Of(i.Value)));
        return module.OutputNames.Zip(outputs).ToDictionary(o => o.First, o => o.Second);
    }

    private static Dictionary<string, Literal> InFolder(Action<string> writeOutputs)
    {
        string folder = Directory.CreateTempSubdirectory("graphene-outputs-").FullName;
        try
        {
            writeOutputs(folder);
            return Directory.GetFiles(folder, "*.npy").ToDictionary(f => Path.GetFileNameWithoutExtension(f), NpyFile.Read);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
