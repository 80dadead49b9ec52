using System.Diagnostics;
using System.Globalization;

namespace Graphene.Bench;

/// <summary>A model to measure.</summary>
/// <param name="Name">For the tables.</param>
/// <param name="Path">The ONNX file.</param>
/// <param name="InputFolder">Holds one <c>.npy</c> for each input, by name.</param>
/// <param name="Gigaflop">Work of one run in 10^9 operations, when it is known exactly.</param>
internal sealed record ModelEntry(string Name, string Path, string InputFolder, double? Gigaflop = null)
{
    /// <summary>The files of the inputs.</summary>
    public IEnumerable<(string Name, string File)> InputFiles() =>
        Directory.GetFiles(InputFolder, "*.npy").Order(StringComparer.Ordinal)
            .Select(f => (System.IO.Path.GetFileNameWithoutExtension(f), f));
}

/// <summary>Finds or makes the models; they are too large for the repository, so scripts write them to a cache folder.</summary>
internal static class ModelSet
{
    /// <summary>The named models of a folder, or of the cache folder, which is filled first when they are not there.</summary>
    public static IReadOnlyList<ModelEntry> Locate(string? folder, IReadOnlyList<string> names)
    {
        string root = folder ?? CacheFolder();
        string[] missing = [.. names.Where(n => !File.Exists(Path.Combine(root, $"{n}.onnx")))];
        if (missing.Length > 0 && folder is not null)
        {
            throw new BenchException($"{folder} has no {string.Join(", ", missing.Select(n => n + ".onnx"))}");
        }
        if (missing.Length > 0)
        {
            Python(MakeModelsScript(), ["--out", root, .. missing]);
        }
        return [.. names.Select(n => new ModelEntry(n, Path.Combine(root, $"{n}.onnx"), Path.Combine(root, $"{n}.inputs")))];
    }

    /// <summary>One-node models that multiply two square matrices, the second one a constant.</summary>
    public static IReadOnlyList<ModelEntry> Gemm(IReadOnlyList<int> sizes)
    {
        string root = Path.Combine(CacheFolder(), "gemm");
        string script = Path.Combine(AppContext.BaseDirectory, "gemm_models.py");
        if (sizes.Any(n => !File.Exists(Path.Combine(root, $"gemm{Text(n)}.onnx"))))
        {
            Python(script, ["--out", root, .. sizes.Select(Text)]);
        }
        return
        [
            .. sizes.Select(n => new ModelEntry(
                $"gemm {n}^3", Path.Combine(root, $"gemm{Text(n)}.onnx"), Path.Combine(root, $"gemm{Text(n)}.inputs"),
                2.0 * n * n * n / 1e9)),
        ];
    }

    /// <summary>Small graphs of a few operators; those whose name contains one of some parts, or all of them.</summary>
    public static IReadOnlyList<ModelEntry> Small(IReadOnlyList<string> parts)
    {
        string root = Path.Combine(CacheFolder(), "small");
        Python(Path.Combine(AppContext.BaseDirectory, "small_models.py"), ["--out", root]);
        return
        [
            .. Directory.GetFiles(root, "*.onnx").Order(StringComparer.Ordinal).Select(f => Path.GetFileNameWithoutExtension(f))
                .Where(name => parts.Count == 0 || parts.Any(part => name.Contains(part, StringComparison.Ordinal)))
                .Select(name => new ModelEntry(name, Path.Combine(root, $"{name}.onnx"), Path.Combine(root, $"{name}.inputs"))),
        ];
    }

    private static string CacheFolder()
    {
        string root = Environment.GetEnvironmentVariable("GRAPHENE_BENCH_MODELS") ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "graphene", "bench-models");
        Directory.CreateDirectory(root);
        return root;
    }

    /// <summary>The folder that holds models/make_models.py and the peers' scripts.</summary>
    public static string Shared()
    {
        string? shared = Environment.GetEnvironmentVariable("GRAPHENE_SHARED");
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); shared is null && at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Graphene.sln")))
            {
                shared = Path.Combine(at.FullName, "..", "shared");
            }
        }
        return shared ?? "";
    }

    private static string MakeModelsScript()
    {
        string script = Path.Combine(Shared(), "models", "make_models.py");
        return File.Exists(script)
            ? script
            : throw new BenchException($"the models are missing: pass --models FOLDER, or let GRAPHENE_SHARED hold models/make_models.py");
    }

    // The system's Python is asked first: a distribution's numpy and onnx are installed for that one.
    private static void Python(string script, IEnumerable<string> arguments)
    {
        string python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        using Process process = Process.Start(new ProcessStartInfo(python, [script, .. arguments]) { UseShellExecute = false })
            ?? throw new BenchException($"{python} does not start");
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new BenchException($"{script} failed; it needs Python with numpy and onnx (python3-numpy, python3-onnx)");
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
