using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Graphene.Cli.Execution;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Runtime;
using Microsoft.Extensions.Logging;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene bench MODEL</c>: what loading, compiling and running a model costs.</summary>
internal static class BenchCommand
{
    private static readonly Option<int> Warmup = new("--warmup")
    {
        Description = "Runs that are not counted.",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<int> Runs = new("--runs")
    {
        Description = "Runs that are timed.",
        DefaultValueFactory = _ => 30,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object on the last line." };

    private static readonly Option<bool> NoCache = new("--no-cache") { Description = "Compile even what is in the disk cache." };

    private static readonly Option<bool> Kernels = new("--kernels")
    {
        Description = "Measure each kernel too, in further runs of code that reports them, beside what the machine can do.",
    };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("bench", "Measure loading, compiling and running a model.")
        {
            CommonOptions.Model, CommonOptions.Input, CommonOptions.Random, CommonOptions.Dim, CommonOptions.Device,
            CommonOptions.Threads, CommonOptions.Winograd, CommonOptions.Tuning, Warmup, Runs, NoCache, Kernels, Json,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        int runs = parsed.GetValue(Runs);
        if (runs < 1 || parsed.GetValue(Warmup) < 0)
        {
            throw new UsageException("--runs must be at least 1, --warmup at least 0");
        }
        using ILoggerFactory loggers = CommonOptions.Loggers(parsed);
        ILogger logger = loggers.CreateLogger("graphene");
        InputSet inputSet = InputSet.Read(
            parsed.GetRequiredValue(CommonOptions.Input), parsed.GetValue(CommonOptions.Random) ?? 0);

        IGraphCompiler compiler = Devices.Compiler(
            parsed.GetRequiredValue(CommonOptions.Device), logger, !parsed.GetValue(NoCache), CommonOptions.Optimizer(parsed),
            CommonOptions.TuningOf(parsed));
        long start = Stopwatch.GetTimestamp();
        LoadedModel model = ModelLoader.LoadToRun(
            parsed.GetRequiredValue(CommonOptions.Model), CommonOptions.Dims(parsed), inputSet.Files, compiler, logger);
        TimeSpan load = Stopwatch.GetElapsedTime(start) - model.FindTime;
        IReadOnlyList<Literal> inputs = inputSet.For(
            model, (symbol, value) => io.Progress($"{symbol.Name} = {value}; choose with --dim {symbol.Name}=N"));
        SymbolBinding.Bind(model, inputs);

        using var runner = new ModelRunner(model, compiler, parsed.GetValue(CommonOptions.Threads), logger);
        double[] times = Measure(runner, inputs, parsed.GetValue(Warmup), runs);

        var result = new BenchResult(
            Path.GetFileName(model.Path), parsed.GetValue(CommonOptions.Threads), runs, times[0], times[times.Length / 2], times[^1],
            runner.CompileTime.TotalMilliseconds, load.TotalMilliseconds, PeakMemory.Megabytes(),
            runner.ScratchBytes(inputs) / (1024.0 * 1024.0), runner.Kernels);
        Show(result, io);
        KernelReport? kernels = parsed.GetValue(Kernels) ? MeasureKernels(parsed, inputSet, runs) : null;
        kernels?.Show(io);
        if (parsed.GetValue(Json))
        {
            io.Output.WriteLine(result.ToJson(kernels));
        }
        return ExitCode.Success;
    }

    private static KernelReport MeasureKernels(ParseResult parsed, InputSet inputSet, int runs)
    {
        string device = parsed.GetRequiredValue(CommonOptions.Device);
        if (device == Devices.Reference)
        {
            throw new UsageException($"--kernels is for devices that have kernels, not for {device}");
        }
        LoadedModel model = ModelLoader.Load(
            parsed.GetRequiredValue(CommonOptions.Model), CommonOptions.Dims(parsed), inputSet.Find);
        IReadOnlyList<Literal> inputs = inputSet.For(model, (_, _) => { });
        return KernelReport.Measure(
            model, inputs, device, parsed.GetValue(CommonOptions.Threads), parsed.GetValue(Warmup), runs, CommonOptions.Optimizer(parsed),
            CommonOptions.TuningOf(parsed));
    }

    private static double[] Measure(ModelRunner runner, IReadOnlyList<Literal> inputs, int warmup, int runs)
    {
        using BoundCall call = runner.Bind(inputs);
        for (int i = 0; i < warmup; i++)
        {
            call.Run();
        }
        double[] times = new double[runs];
        for (int i = 0; i < runs; i++)
        {
            long start = Stopwatch.GetTimestamp();
            call.Run();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        Array.Sort(times);
        return times;
    }

    private static void Show(BenchResult r, CommandIO io)
    {
        var table = new TextTable("what", "value");
        foreach ((string name, string value) in r.Rows())
        {
            table.AddRow(name, value);
        }
        table.Write(io.Output);
    }

    private sealed record BenchResult(
        string Model, int Threads, int Runs, double Min, double Median, double Max, double Compile, double Load, double PeakRss,
        double Arena, int Kernels)
    {
        public IEnumerable<(string, string)> Rows() =>
        [
            ("fastest run", Ms(Min)), ("median run", Ms(Median)), ("slowest run", Ms(Max)), ("load the model", Ms(Load)),
            ("compile, or read from the cache", Ms(Compile)), ("peak memory of the process", Mb(PeakRss)),
            ("arena of a run", Mb(Arena)), ("kernels", Kernels.ToString(CultureInfo.InvariantCulture)),
        ];

        public string ToJson(KernelReport? kernels)
        {
            using var stream = new MemoryStream();
            using (var json = new Utf8JsonWriter(stream))
            {
                json.WriteStartObject();
                json.WriteString("model", Model);
                json.WriteString("graphene", VersionReport.Version);
                json.WriteNumber("threads", Threads);
                json.WriteNumber("runs", Runs);
                Number(json, "min_ms", Min);
                Number(json, "median_ms", Median);
                Number(json, "max_ms", Max);
                Number(json, "compile_ms", Compile);
                Number(json, "load_ms", Load);
                Number(json, "peak_rss_mb", PeakRss);
                Number(json, "arena_mb", Arena);
                json.WriteNumber("kernels", Kernels);
                kernels?.Write(json);
                json.WriteEndObject();
            }
            return System.Text.Encoding.UTF8.GetString(stream.ToArray());
        }

        private static void Number(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 5));

        private static string Ms(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:G5} ms");

        private static string Mb(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:F1} MiB");
    }
}
