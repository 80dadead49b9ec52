using System.Globalization;
using System.Text.Json;

namespace Graphene.Bench;

/// <summary>A program that can run a model and report its times.</summary>
internal abstract class Contender
{
    /// <summary>Name and version for the report.</summary>
    public abstract string Name { get; }

    /// <summary>Runs a model in a process of its own.</summary>
    /// <param name="model">The model.</param>
    /// <param name="threads">Threads that a run may use.</param>
    /// <param name="runs">Runs that are timed.</param>
    /// <param name="warmup">Runs before them.</param>
    /// <param name="cold">True to prepare without what an earlier process has left on disk.</param>
    public abstract Measurement Run(ModelEntry model, int threads, int runs, int warmup, bool cold = false);

    protected static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary><c>graphene bench --json</c> of this checkout.</summary>
internal sealed class GrapheneContender : Contender
{
    private readonly string _cli = Path.Combine(AppContext.BaseDirectory, "Graphene.Cli.dll");

    public override string Name =>
        $"Graphene {typeof(Cli.CommandLine).Assembly.GetName().Version?.ToString(3) ?? "?"}";

    public override Measurement Run(ModelEntry model, int threads, int runs, int warmup, bool cold = false)
    {
        string[] arguments =
        [
            _cli, "bench", model.Path, "--threads", Number(threads), "--runs", Number(runs), "--warmup", Number(warmup),
            .. model.InputFiles().SelectMany(f => new[] { "--input", $"{f.Name}={f.File}" }), "--json",
            .. cold ? new[] { "--no-cache" } : [],
        ];
        JsonElement r = Measurement.RunJson(Environment.ProcessPath is { } p && IsDotnet(p) ? p : "dotnet", arguments);
        return new Measurement(
            r.GetProperty("min_ms").GetDouble(), r.GetProperty("median_ms").GetDouble(),
            r.GetProperty("compile_ms").GetDouble() + r.GetProperty("load_ms").GetDouble(),
            r.GetProperty("peak_rss_mb").GetDouble());
    }

    private static bool IsDotnet(string path) =>
        Path.GetFileNameWithoutExtension(path).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
}

/// <summary>ONNX Runtime through its C API: <c>PEERS_DIR/ort_cbench</c>.</summary>
internal sealed class OnnxRuntimeContender : Contender
{
    private readonly string _program;
    private string _version = "";

    public OnnxRuntimeContender()
    {
        string folder = Environment.GetEnvironmentVariable("PEERS_DIR") ?? Path.Combine(Path.GetTempPath(), "peers");
        _program = Path.Combine(folder, "ort_cbench");
        if (!File.Exists(_program))
        {
            throw new BenchException(
                $"ONNX Runtime is missing: there is no {_program}; PEERS_DIR must name the folder that holds ort_cbench");
        }
    }

    public override string Name => $"ONNX Runtime {_version}".TrimEnd();

    public override Measurement Run(ModelEntry model, int threads, int runs, int warmup, bool cold = false)
    {
        JsonElement r = Measurement.RunJson(
            _program,
            [
                model.Path, "--threads", Number(threads), "--runs", Number(runs), "--warmup", Number(warmup),
                "--inputs", model.InputFolder,
            ]);
        _version = r.GetProperty("ort").GetString() ?? "";
        return new Measurement(
            r.GetProperty("min_ms").GetDouble(), r.GetProperty("median_ms").GetDouble(),
            r.GetProperty("create_ms").GetDouble(), r.GetProperty("peak_rss_mb").GetDouble());
    }
}
